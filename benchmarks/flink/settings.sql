-- Equal terms: state in RocksDB, checkpoints exactly once, as many tasks as Spark has, event time in UTC.
SET 'execution.target' = 'local';
SET 'rest.bind-address' = '127.0.0.1';
SET 'execution.runtime-mode' = 'streaming';
SET 'parallelism.default' = '${cores}';
SET 'pipeline.object-reuse' = 'true';
SET 'state.backend.type' = 'rocksdb';
SET 'execution.checkpointing.interval' = '${checkpoint_seconds} s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'execution.checkpointing.incremental' = 'true';
SET 'execution.checkpointing.dir' = 'file://${checkpoint}';
SET 'table.exec.state.ttl' = '${live_state_minutes} min';
SET 'table.local-time-zone' = 'UTC';
SET 'table.dml-sync' = 'true';
