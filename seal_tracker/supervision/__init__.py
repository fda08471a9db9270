"""What persons do with journeys: pure decisions, and the desk that commits them."""
