DROP FUNCTION usage_give_back(bigint, text, date, bigint);
DROP FUNCTION usage_take(bigint, text, date, bigint, bigint);
DROP TABLE quotas;
DROP TABLE usage;
