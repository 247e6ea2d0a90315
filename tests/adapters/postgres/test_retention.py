"""Only what has served its time goes, and never much at once."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.retention import PostgresRetention

_ADD_USER = text("""
    INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
    VALUES (uuidv7(), 'a@b.in', 'a@b.in', 'Asha', '-', :role, now(), now())
""")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()


async def _fill(engine: AsyncEngine, age: str, rows: int) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO request_log (scope, method, request_id, fingerprint, created_at)
                SELECT uuidv7(), 'PlaceOrder', uuidv7(), '', now() - CAST(:age AS text)::interval
                FROM generate_series(1, :rows)
            """),
            {"age": age, "rows": rows},
        )
        await connection.execute(
            text("""
                INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)
                SELECT now() - CAST(:age AS text)::interval, n, 'successful', 0, 'relay_events'
                FROM generate_series(1, :rows) AS n
            """),
            {"age": age, "rows": rows},
        )


async def _left(engine: AsyncEngine) -> tuple[int, int]:
    async with engine.connect() as connection:
        requests = await connection.scalar(text("SELECT count(*) FROM request_log"))
        jobs = await connection.scalar(text("SELECT count(*) FROM pgqueuer_log"))
    return int(requests or 0), int(jobs or 0)


async def test_requests_stay_a_week_and_the_jobs_log_two_days(engine: AsyncEngine) -> None:
    for age in ("1 hour", "30 hours", "6 days 23 hours", "7 days 1 hour", "90 days"):
        await _fill(engine, age, 10)
    assert await PostgresRetention(engine).prune() == 20 + 30
    assert await _left(engine) == (30, 20)
    assert await PostgresRetention(engine).prune() == 0


async def test_sessions_go_a_month_after_their_end_and_refresh_tokens_a_day_after_theirs(engine: AsyncEngine) -> None:
    ages = ("29 days", "31 days", "1 hour", "2 days")
    async with engine.begin() as connection:
        await connection.execute(_ADD_USER, {"role": "customer"})
        for age in ages:
            await connection.execute(
                text("""
                    WITH session AS (
                        INSERT INTO sessions (id, user_id, created_at, expires_at)
                        SELECT uuidv7(), id, now() - interval '60 days', now() - CAST(:age AS text)::interval FROM users
                        RETURNING id, created_at, expires_at
                    ) INSERT INTO refresh_tokens (digest, session_id, issued_at, expires_at)
                    SELECT sha256(CAST(CAST(:age AS text) AS bytea)), id, created_at, expires_at FROM session
                """),
                {"age": age},
            )
    # Three tokens, and the one session that is more than a month old.
    assert await PostgresRetention(engine).prune() == 3 + 1
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM refresh_tokens")) == 1
        assert await connection.scalar(text("SELECT count(*) FROM sessions")) == 3
    assert await PostgresRetention(engine).prune() == 0


async def test_traces_beside_the_audit_log_go_after_half_a_year(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(_ADD_USER, {"role": "customer"})
        await connection.execute(
            text("""
                WITH entry AS (
                    INSERT INTO audit_entries
                        (id, at, actor_kind, action, subject_type, subject_id, reason, request_id, details)
                    SELECT uuidv7(), now() - CAST(age AS interval), 'operator', 'SESSIONS_ENDED', 'user', u.id, 'why',
                        'call', '{}'
                    FROM users u, unnest(ARRAY['179 days', '181 days']) AS age RETURNING id, subject_id, at
                ) INSERT INTO audit_traces SELECT id, subject_id, at, '{}' FROM entry
            """)
        )
    assert await PostgresRetention(engine).prune() == 1
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM audit_entries")) == 2
    assert await PostgresRetention(engine).prune() == 0


async def test_one_run_takes_a_bounded_share(engine: AsyncEngine) -> None:
    await _fill(engine, "90 days", 100)
    retention = PostgresRetention(engine, batch=10, max_batches=3)
    assert await retention.prune() == 60
    assert await _left(engine) == (70, 70)


async def test_rows_another_worker_is_pruning_are_not_waited_for(engine: AsyncEngine) -> None:
    await _fill(engine, "90 days", 10)
    async with engine.connect() as other:
        await other.execute(text("DELETE FROM request_log"))
        assert await PostgresRetention(engine).prune() == 10
        await other.rollback()
    assert await _left(engine) == (10, 0)


async def test_a_nonce_stays_for_as_long_as_a_clock_might_accept_what_it_signed(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(_ADD_USER, {"role": "admin"})
        await connection.execute(
            text("INSERT INTO signing_keys (id, user_id, created_at) SELECT uuidv7(), id, now() FROM users")
        )
        await connection.execute(
            text("""
                INSERT INTO request_nonces (key_id, nonce, signed_at)
                SELECT k.id, age, now() - age::interval
                FROM signing_keys k, unnest(ARRAY['-5 minutes', '5 minutes', '59 minutes', '61 minutes', '2 days']) age
            """)
        )
    assert await PostgresRetention(engine).prune() == 2
    async with engine.connect() as connection:
        left = (await connection.scalars(text("SELECT nonce FROM request_nonces ORDER BY signed_at"))).all()
    assert left == ["59 minutes", "5 minutes", "-5 minutes"]


async def test_attempts_at_log_ins_stay_a_week_and_known_networks_half_a_year(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("""
                WITH asha AS (
                    INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
                    VALUES (uuidv7(), 'a@b.in', 'a@b.in', 'Asha', 'hash', 'customer', now(), now()) RETURNING id
                ), networks AS (
                    INSERT INTO known_networks (user_id, network, last_seen_at)
                    SELECT id, days || ' days', now() - make_interval(days => days)
                    FROM asha, unnest('{1, 179, 181, 400}'::int[]) AS days
                )
                INSERT INTO log_in_attempts (id, identifier, network, at, outcome)
                SELECT uuidv7(), 'digest', 'network', now() - make_interval(hours => hours), 'failed'
                FROM unnest('{1, 167, 169, 400}'::int[]) AS hours
            """)
        )
    assert await PostgresRetention(engine).prune() == 2 + 2
    async with engine.connect() as connection:
        left = (await connection.scalars(text("SELECT network FROM known_networks"))).all()
    assert sorted(left) == ["1 days", "179 days"]


async def test_mails_stay_a_month_after_they_ended_and_as_long_as_it_takes_until_then(engine: AsyncEngine) -> None:
    """Each subject says what is the matter with its mail: the state, and how long ago it ended or was queued."""
    async with engine.begin() as connection:
        await connection.execute(
            text("""
                WITH asha AS (
                    INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
                    VALUES (uuidv7(), 'a@b.in', 'a@b.in', 'Asha', 'hash', 'customer', now(), now()) RETURNING id
                )
                INSERT INTO mails (id, kind, state, user_id, outcome, queued_at, finished_at, next_attempt_at)
                SELECT uuidv7(), 'password_changed', state, id, state || ' ' || days,
                    now() - make_interval(days => days),
                    CASE WHEN state <> 'queued' THEN now() - make_interval(days => days) END,
                    CASE WHEN state = 'queued' THEN now() - make_interval(days => days) END
                FROM asha, unnest('{queued, sent, refused, dropped}'::text[]) AS state, unnest('{29, 31}'::int[]) AS days
            """)
        )
    assert await PostgresRetention(engine).prune() == 3
    async with engine.connect() as connection:
        left = (await connection.scalars(text("SELECT outcome FROM mails"))).all()
    assert sorted(left) == ["dropped 29", "queued 29", "queued 31", "refused 29", "sent 29"]


async def test_links_go_a_day_after_they_expired_used_or_not_and_leave_the_mails_that_carried_them(
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("""
                WITH wanted AS (
                    SELECT hours, used, hours || '-' || used || '@b.in' AS email
                    FROM unnest('{-1, 23, 25, 900}'::int[]) AS hours, unnest('{true, false}'::bool[]) AS used
                ), made AS (
                    INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
                    SELECT uuidv7(), email, email, 'Asha', 'hash', 'customer', now(), now() FROM wanted
                    RETURNING id, email
                ), links AS (
                    INSERT INTO mailed_links (
                        id, user_id, purpose, email_key, digest, created_at, expires_at, closed_at
                    )
                    SELECT id, id, 'reset_password', email, sha256(email::bytea), now() - interval '40 days',
                        now() - make_interval(hours => hours), CASE WHEN used THEN now() - interval '39 days' END
                    FROM made JOIN wanted USING (email)
                    RETURNING id
                )
                INSERT INTO mails (id, kind, user_id, link_id, queued_at, next_attempt_at)
                SELECT uuidv7(), 'reset_password', id, id, now(), now() FROM links
            """)
        )
    assert await PostgresRetention(engine).prune() == 4
    async with engine.connect() as connection:
        left = (await connection.scalars(text("SELECT expires_at > now() - interval '1 day' FROM mailed_links"))).all()
        mails = await connection.scalar(text("SELECT count(*) FROM mails WHERE state = 'queued'"))
        without = await connection.scalar(text("SELECT count(*) FROM mails WHERE link_id IS NULL"))
    assert (left, mails, without) == ([True] * 4, 8, 4)
