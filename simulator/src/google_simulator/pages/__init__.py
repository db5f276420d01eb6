"""What a person sees: consent, calendars by week, the knobs. Works without JavaScript."""
