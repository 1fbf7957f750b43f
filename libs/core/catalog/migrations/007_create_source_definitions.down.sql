DROP TABLE source_definitions;
