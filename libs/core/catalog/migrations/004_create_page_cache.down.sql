DROP TABLE page_cache;
