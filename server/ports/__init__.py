"""All that the product asks of the world, as protocols."""
