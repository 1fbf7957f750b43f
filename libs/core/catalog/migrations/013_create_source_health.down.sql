DROP TABLE source_health;
