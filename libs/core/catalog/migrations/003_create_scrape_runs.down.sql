DROP FUNCTION scrape_run_finish(text, bigint, integer, text, text);
DROP FUNCTION scrape_run_enter_page(text, bigint, integer, text, bigint);
DROP FUNCTION scrape_run_start(text, bigint, integer, text);
DROP FUNCTION scrape_run_lock(text, bigint);
DROP TABLE scrape_runs;
