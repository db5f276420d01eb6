"""What Google should show: recorded in the transaction that changed the appointment."""
