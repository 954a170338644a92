"""What kind of value each redis.conf setting holds, and which can only be set in the file.

Names are the newest that Redis has; `ALIASES` maps older ones and Valkey's own. A setting that no
table names is text. What stands here was asked of redis 7.0.15, redis 8.2.3 and Valkey 9.1.2, and
tests ask them again.
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALIASES = {
    "slaveof": "replicaof",
    "slave-serve-stale-data": "replica-serve-stale-data",
    "slave-read-only": "replica-read-only",
    "slave-ignore-maxmemory": "replica-ignore-maxmemory",
    "slave-lazy-flush": "replica-lazy-flush",
    "slave-priority": "replica-priority",
    "slave-announce-ip": "replica-announce-ip",
    "slave-announce-port": "replica-announce-port",
    "repl-ping-slave-period": "repl-ping-replica-period",
    "min-slaves-to-write": "min-replicas-to-write",
    "min-slaves-max-lag": "min-replicas-max-lag",
    "cluster-slave-validity-factor": "cluster-replica-validity-factor",
    "cluster-slave-no-failover": "cluster-replica-no-failover",
    "primaryauth": "masterauth",
    "primaryuser": "masteruser",
    "commandlog-execution-slower-than": "slowlog-log-slower-than",
    "commandlog-slow-execution-max-len": "slowlog-max-len",
    "lua-time-limit": "busy-reply-threshold",
    "hash-max-ziplist-entries": "hash-max-listpack-entries",
    "hash-max-ziplist-value": "hash-max-listpack-value",
    "zset-max-ziplist-entries": "zset-max-listpack-entries",
    "zset-max-ziplist-value": "zset-max-listpack-value",
    "list-max-ziplist-size": "list-max-listpack-size",
}

# Counted in bytes; the file may use a unit (k is 1000, kb is 1024).
BYTES = _names("""
    maxmemory maxmemory-clients client-query-buffer-limit proto-max-bulk-len repl-backlog-size
    auto-aof-rewrite-min-size active-defrag-ignore-bytes stream-node-max-bytes
    hash-max-listpack-value zset-max-listpack-value hll-sparse-max-bytes
""")

# Any letter case is read; the server answers in lower case.
WORDS = _names("""
    activedefrag activerehashing always-show-logo aof-load-truncated aof-rewrite-incremental-fsync
    aof-timestamp-enabled aof-use-rdb-preamble appendfsync appendonly cluster-enabled
    crash-log-enabled crash-memcheck-enabled daemonize disable-thp dynamic-hz
    enable-debug-command enable-module-command enable-protected-configs io-threads-do-reads
    jemalloc-bg-thread latency-tracking lazyfree-lazy-eviction lazyfree-lazy-expire
    lazyfree-lazy-server-del lazyfree-lazy-user-del lazyfree-lazy-user-flush loglevel
    maxmemory-policy no-appendfsync-on-rewrite propagation-error-behavior
    protected-mode rdb-del-sync-files rdb-save-incremental-fsync rdbchecksum rdbcompression
    repl-disable-tcp-nodelay repl-diskless-load repl-diskless-sync replica-announced
    replica-ignore-maxmemory replica-lazy-flush replica-read-only replica-serve-stale-data
    sanitize-dump-payload set-proc-title stop-writes-on-bgsave-error supervised syslog-enabled
    syslog-facility tls-auth-clients tls-cluster tls-prefer-server-ciphers tls-replication
    tls-session-caching use-exit-on-panic
""")

# Whole numbers, whatever their unit (seconds, milliseconds, microseconds, a count).
NUMBERS = _names("""
    acllog-max-len active-defrag-cycle-max active-defrag-cycle-min active-defrag-max-scan-fields
    active-defrag-threshold-lower active-defrag-threshold-upper active-expire-effort
    auto-aof-rewrite-percentage busy-reply-threshold cluster-node-timeout cluster-port databases
    hash-max-listpack-entries hz io-threads latency-monitor-threshold lfu-decay-time
    lfu-log-factor list-compress-depth list-max-listpack-size maxclients
    maxmemory-eviction-tenacity maxmemory-samples min-replicas-max-lag min-replicas-to-write port
    repl-backlog-ttl repl-diskless-sync-delay repl-diskless-sync-max-replicas
    repl-ping-replica-period repl-timeout replica-announce-port replica-priority
    set-max-intset-entries set-max-listpack-entries shutdown-timeout slowlog-log-slower-than
    slowlog-max-len socket-mark-id stream-node-max-entries tcp-backlog tcp-keepalive timeout
    tls-port tls-session-cache-size tls-session-cache-timeout tracking-table-max-keys
    zset-max-listpack-entries
""")

# Paths as the server sees them.
PATHS = _names("""
    aclfile dir logfile pidfile tls-ca-cert-dir tls-ca-cert-file tls-cert-file
    tls-client-cert-file tls-client-key-file tls-dh-params-file tls-key-file unixsocket
""")

# Words whose order means nothing.
# Settings of which a file may hold several lines that add up instead of the last one winning.
# `save` and `client-output-buffer-limit` add up too, by rules of their own.
REPEATED = frozenset({"include", "loadmodule", "rename-command", "sentinel", "user"})

# No CONFIG SET on any server asked here: a change needs a restart. The first group answers
# "immutable", the second "protected" (while enable-protected-configs is no), the third stands in
# the file only and no CONFIG command knows it.
IMMUTABLE = _names("""
    aclfile always-show-logo aof-rewrite-cpulist aof_rewrite_cpulist appenddirname appendfilename
    bgsave-cpulist bgsave_cpulist bio-cpulist bio_cpulist cluster-config-file cluster-enabled
    cluster-port daemonize databases disable-thp enable-debug-command enable-module-command
    enable-protected-configs io-threads io-threads-do-reads logfile pidfile rdbchecksum replicaof
    server-cpulist server_cpulist set-proc-title slaveof socket-mark-id supervised syslog-enabled
    syslog-facility syslog-ident tcp-backlog unixsocket unixsocketperm
    cluster-databases hash-seed mptcp rdma-completion-vector rdma-rx-size repl-mptcp unixsocketgroup
    dbfilename dir
    include loadmodule rename-command user
""")
