-- The live job in Flink SQL: gate, late mark, one count an id, one-minute windows. The benchmark fills in the $$ names.
-- Flink writes a window once, when the watermark has passed it; the live job writes it whenever it changed.

CREATE TABLE transactions (
    event_id         STRING,
    event_time       TIMESTAMP_LTZ(3),
    user_id          STRING,
    merchant_id      STRING,
    product_id       STRING,
    order_id         STRING,
    refund_of        STRING,
    transaction_type STRING,
    -- As text, since a decimal would be rounded before it is judged.
    amount           STRING,
    currency         STRING,
    region           STRING,
    arrived_at       TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    seen_at AS PROCTIME(),
    -- A refused time must not move the watermark: one event of tomorrow would close every window.
    moment AS CASE WHEN event_time <= arrived_at + INTERVAL '${future_minutes}' MINUTE THEN event_time ELSE arrived_at END,
    WATERMARK FOR moment AS moment - INTERVAL '${live_state_minutes}' MINUTE
) WITH (
    'connector' = 'kafka',
    'topic' = '${topic}',
    'properties.bootstrap.servers' = '${kafka}',
    'scan.startup.mode' = 'earliest-offset',
    'scan.bounded.mode' = 'latest-offset',
    'format' = 'json',
    'json.ignore-parse-errors' = 'true',
    'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TABLE windows (
    spec           STRING,
    window_start   BIGINT,
    window_seconds INT,
    late           BOOLEAN,
    keys           ROW<merchant_id STRING, transaction_type STRING, currency STRING, region STRING>,
    n              BIGINT,
    `values`       ROW<transactions BIGINT, amount_sum STRING, amount_min STRING, amount_max STRING>
) WITH (
    'connector' = 'kafka',
    'topic' = '${output}',
    'properties.bootstrap.servers' = '${kafka}',
    'properties.compression.type' = 'lz4',
    'sink.delivery-guarantee' = 'at-least-once',
    'format' = 'json'
);

CREATE VIEW accepted AS
SELECT
    event_id,
    moment,
    seen_at,
    arrived_at > moment + INTERVAL '${lateness_minutes}' MINUTE AS late,
    merchant_id,
    transaction_type,
    currency,
    region,
    CAST(amount AS DECIMAL(18, 2)) AS amount
FROM transactions
WHERE event_time = moment
    AND CHAR_LENGTH(event_id) BETWEEN 8 AND 64
    AND CHAR_LENGTH(user_id) BETWEEN 1 AND 64
    AND CHAR_LENGTH(merchant_id) BETWEEN 1 AND 64
    AND COALESCE(CHAR_LENGTH(product_id), 0) <= 64
    AND COALESCE(CHAR_LENGTH(order_id), 0) <= 64
    AND COALESCE(CHAR_LENGTH(refund_of), 0) <= 64
    AND transaction_type IN ('purchase', 'refund', 'fee', 'payout')
    AND currency IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR')
    AND region IN ('north_america', 'south_america', 'europe', 'asia')
    AND REGEXP(amount, '^[0-9]{1,16}([.][0-9]{1,2}0*)?$$')
    AND TRY_CAST(amount AS DECIMAL(18, 2)) <= CASE WHEN currency IN ('USD', 'EUR', 'GBP') THEN 500000 ELSE 1000000 END;

-- The first row of an id; its later rows are repeats.
CREATE VIEW once AS
SELECT event_id, moment, late, merchant_id, transaction_type, currency, region, amount
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY ${first_by} ASC) AS place
    FROM accepted
)
WHERE place = 1;

INSERT INTO windows
SELECT
    'transactions_1m',
    CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_start) AS BIGINT),
    60,
    late,
    ROW(merchant_id, transaction_type, currency, region),
    COUNT(*),
    ROW(
        COUNT(*),
        CAST(CAST(SUM(amount) AS DECIMAL(28, 2)) AS STRING),
        CAST(MIN(amount) AS STRING),
        CAST(MAX(amount) AS STRING)
    )
FROM TABLE(TUMBLE(TABLE ${events}, DESCRIPTOR(moment), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, late, merchant_id, transaction_type, currency, region;
