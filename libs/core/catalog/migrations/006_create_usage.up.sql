-- What users used, one row a user, kind and day (UTC). Half-empty pages: rows are updated often and in place.
CREATE TABLE usage (
    user_id bigint NOT NULL CONSTRAINT usage_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT usage_kind_check CHECK (kind IN ('scrapes', 'copies')),
    day date NOT NULL,
    used bigint NOT NULL CONSTRAINT usage_used_check CHECK (used >= 0),
    CONSTRAINT usage_pkey PRIMARY KEY (user_id, kind, day)
) WITH (fillfactor = 50);
-- Sums over all users of a day, and retention.
CREATE INDEX usage_day_idx ON usage (day);

-- Limits of single users; the others have the standard limits of the configuration.
CREATE TABLE quotas (
    user_id bigint NOT NULL CONSTRAINT quotas_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT quotas_kind_check CHECK (kind IN ('scrapes', 'copies')),
    daily_limit bigint NOT NULL CONSTRAINT quotas_daily_limit_check CHECK (daily_limit >= 0),
    CONSTRAINT quotas_pkey PRIMARY KEY (user_id, kind)
);

-- Takes up to `wanted` of what the user may still use today and counts it: the row is locked, so that concurrent takers pass
-- one after the other and never take more than the limit together. `standard` is the limit of users without one of their own;
-- NULL: none. The commit does not wait for the disk: a crash of the server may forget the last half second of use.
CREATE FUNCTION usage_take(who bigint, what text, today date, wanted bigint, standard bigint)
RETURNS TABLE (granted bigint, used_today bigint, limit_today bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    limit_today := coalesce((SELECT q.daily_limit FROM quotas q WHERE q.user_id = who AND q.kind = what), standard);
    INSERT INTO usage (user_id, kind, day, used) VALUES (who, what, today, 0) ON CONFLICT DO NOTHING;
    SELECT u.used INTO used_today FROM usage u WHERE u.user_id = who AND u.kind = what AND u.day = today FOR UPDATE;
    granted := greatest(least(wanted, coalesce(limit_today - used_today, wanted)), 0);
    IF granted > 0 THEN
        used_today := used_today + granted;
        UPDATE usage u SET used = used_today WHERE u.user_id = who AND u.kind = what AND u.day = today;
    END IF;
    RETURN NEXT;
END $$;

-- Gives back what was taken and not used. Never below zero.
CREATE FUNCTION usage_give_back(who bigint, what text, on_day date, n bigint) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('synchronous_commit', 'off', true);
    UPDATE usage SET used = greatest(used - n, 0) WHERE user_id = who AND kind = what AND day = on_day;
$$;
