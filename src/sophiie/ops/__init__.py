"""Operating the product: commands, the demo, health, metrics, doctor."""
