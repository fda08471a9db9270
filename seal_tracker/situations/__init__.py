"""Special situations: what an officer reports that no seal sensed. What they are, and which steps they take. Pure."""
