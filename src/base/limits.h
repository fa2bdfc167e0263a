/* Every limit of the server, with its unit and reason. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_BODY_BYTES           (16u << 20) /* a request body: 10,000 values of a bulk load with room; more is 413 */
#define LIMIT_JSON_DEPTH           64          /* nesting: far above any document of the contracts, far below the stack */
#define LIMIT_JSON_TREE_BYTES      (48u << 20) /* values of a parsed body, 16 bytes each: room for any sensible body of full size */
#define LIMIT_JSON_MEMBERS         10000       /* members of one object: the check for repeated keys sorts them */
#define LIMIT_URL_BYTES            4096        /* request target: a long filter list fits beside the other fields in a connection's memory; more is 414 */
#define LIMIT_QUERY_PARAMS         100         /* query parameters looked at; more is 400 */
#define LIMIT_HTTP_CONNECTION_BYTES 6144       /* MHD's memory a connection: headers fit, an idle connection stays small */
#define LIMIT_CONNECTIONS          20000       /* open sockets of the server */
#define LIMIT_CONNECTIONS_PER_IP   1000        /* of one address: a proxy in front or a load test, not an attacker taking all */
#define LIMIT_IDLE_S               60          /* idle keep-alive connection, and the time a slow client may pause */
#define LIMIT_HEADER_S             20          /* from a request's first line to the end of its header */
#define LIMIT_SLOW_BYTES_S         100         /* a body or answer that moves slower over LIMIT_IDLE_S is an attack */
#define LIMIT_REQUEST_ARENA_BYTES  (128u << 20) /* a request's memory: body, its tree, rows and answer */
#define LIMIT_ANSWER_BYTES         (48u << 20) /* one answer built in memory */
#define LIMIT_TEXT_BYTES           65536       /* a long text field */
#define LIMIT_NAME_CHARS           255         /* a name */
#define LIMIT_ID_CHARS             64          /* a text id (kpi-001, emp-001) */
#define LIMIT_FIELD_ERRORS         100         /* faults told at once; the rest would only hide them */
#define LIMIT_LOG_LINE_BYTES       (256u << 10) /* one line of the log; more is replaced by a note of its length */
#define LIMIT_GZIP_MIN_BYTES       1400        /* smaller answers fit one packet anyway */
#define LIMIT_WRITE_QUEUE          8192        /* requests waiting for the writer; more is 503 with Retry-After */
#define LIMIT_SLOW_QUEUE           1024        /* password checks and the like waiting; more is 503 */
#define LIMIT_WRITE_BATCH          512         /* requests in one commit: bounds how long the first one waits */
#define LIMIT_WRITE_WINDOW_US      1000        /* longest wait for company in a batch */
#define LIMIT_BULK_VALUES          10000       /* KPI values in one request */
#define LIMIT_IDEMPOTENCY_S        86400       /* how long a stored answer is kept */
#define LIMIT_IDEMPOTENCY_BYTES    (256u << 10) /* a stored answer; a larger one is replayed by its status and id only */
#define LIMIT_BASIC_CACHE_S        300         /* a verified Basic credential is remembered */
#define LIMIT_ACCESS_TOKEN_S       3600        /* access token */
#define LIMIT_REFRESH_TOKEN_S      604800      /* refresh token: 7 days */
#define LIMIT_SIGNING_KEY_S        2592000     /* age at which the next login makes a new signing key: 30 days */
#define LIMIT_STATEMENTS           256         /* prepared statements a connection keeps */
#define LIMIT_DB_RETRIES           5           /* busy or serialization failures before giving up with 503 */
#define LIMIT_JOB_PAYLOAD_BYTES    65536       /* what a job is told; it names what it needs and reads the rest when it runs */
#define LIMIT_JOB_RESULT_BYTES     4096        /* what a job leaves for people */
#define LIMIT_JOB_ERROR_BYTES      1000        /* of a failed run, for people */
#define LIMIT_JOB_NOTE_BYTES       200         /* beside a progress */
#define LIMIT_JOB_ARENA_BYTES      (256u << 20) /* memory of a run: a report or an import, several of which may run at once */
#define LIMIT_JOB_DAYS             7           /* jobs that ended well stay to be looked at */
#define LIMIT_JOB_TROUBLE_DAYS     90          /* dead, poison and cancelled ones */
#define LIMIT_JOB_HISTORY          100000      /* jobs that ended well, in all: the oldest go before their time */
#define LIMIT_EVENT_DAYS           400         /* events, which are the audit trail: a year can be compared with the one before */
#define LIMIT_DELIVERY_DAYS        30          /* webhook deliveries with what was sent and answered */
#define LIMIT_JOB_CRASHES          2           /* runs under which the process died before a job is poison */
#define LIMIT_STREAMS_PER_USER     5           /* WebSockets and event streams of one person or key on a node (contract retrospectives) */
#define LIMIT_STREAMS_WAITING      1000        /* sockets that have not sent their token yet */
#define LIMIT_STREAM_TOKEN_S       5           /* time for the token of the first message */
#define LIMIT_STREAM_CLIENT_S      20          /* messages a client may send in a second; more is 1008 */
#define LIMIT_STREAM_CLIENT_BYTES  16384       /* one of them: a list of topics fits */
#define LIMIT_STREAM_MESSAGE_BYTES (256u << 10) /* one message to a client: a full request of campaign values fits; larger values are left out and said to be */
#define LIMIT_STREAM_QUEUE_BYTES   (1u << 20)  /* what may wait for a client that reads slowly */
#define LIMIT_REPLAY_EVENTS        10000       /* events replayed to one stream; who missed more reads the objects anew */

#endif
