"""What runs tell: stability, maps, races, failures, and the studies behind the pages."""
