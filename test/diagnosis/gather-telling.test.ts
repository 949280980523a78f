import { describe, expect, test } from 'vitest'
import { isAlarming } from '../../src/diagnosis/gather/alarming-line.ts'
import { tellingLine, wholeOf } from '../../src/diagnosis/gather/troubled-line.ts'
import { captured, changed, findingsOf, quiet, secondsAgo } from './gather-world.ts'

/** The lines are those of the programs themselves, shortened. */
describe('of the last words the cause is told, and not that it all came to nothing', () => {
  test.each<[string, readonly string[], string]>([
    [
      'php-fpm, whose end only says that it failed',
      ["ERROR: [pool www] cannot get uid for user 'shopper'", 'ERROR: FPM initialization failed'],
      "ERROR: [pool www] cannot get uid for user 'shopper'",
    ],
    [
      'HAProxy',
      [
        "[ALERT]    (1) : config : parsing [/etc/haproxy.cfg:12] : unknown keyword 'bindd' in 'frontend' section",
        '[ALERT]    (1) : config : Error(s) found in configuration file : /etc/haproxy.cfg',
        '[ALERT]    (1) : config : Fatal errors found in configuration.',
      ],
      "[ALERT]    (1) : config : parsing [/etc/haproxy.cfg:12] : unknown keyword 'bindd' in 'frontend' section",
    ],
    [
      'gunicorn',
      [
        '[7] [ERROR] Exception in worker process',
        'Traceback (most recent call last):',
        '    import psycopg2',
        "ModuleNotFoundError: No module named 'psycopg2'",
        '[7] [INFO] Worker exiting (pid: 7)',
        '[1] [ERROR] Worker (pid:7) exited with code 3',
        '[1] [ERROR] Shutting down: Master',
        '[1] [ERROR] Reason: Worker failed to boot.',
      ],
      "ModuleNotFoundError: No module named 'psycopg2'",
    ],
    [
      'uvicorn with a model that lacks a field',
      [
        'ERROR:    Traceback (most recent call last):',
        'pydantic_core.ValidationError: 1 validation error for Settings',
        'stripe_key',
        '  Field required [type=missing]',
        '',
        'ERROR:    Application startup failed. Exiting.',
      ],
      'pydantic_core.ValidationError: 1 validation error for Settings stripe_key Field required [type=missing]',
    ],
    [
      'MySQL',
      ['[ERROR] [InnoDB] Unable to lock ./ibdata1 error: 11', '[ERROR] [Server] Data Dictionary initialization failed.', '[ERROR] [Server] Aborting'],
      '[ERROR] [InnoDB] Unable to lock ./ibdata1 error: 11',
    ],
    [
      'PostgreSQL, with its details',
      [
        '[1] FATAL:  database files are incompatible with server',
        '[1] DETAIL:  The data directory was initialized by PostgreSQL version 14.',
        '[1] LOG:  database system is shut down',
      ],
      '[1] FATAL:  database files are incompatible with server: The data directory was initialized by PostgreSQL version 14.',
    ],
    [
      'MongoDB, which names levels by letters',
      [
        '{"t":1,"s":"E","c":"CONTROL","msg":"DBException, terminating","attr":{"error":"read-only directory: /data/db"}}',
        '{"t":1,"s":"I","c":"CONTROL","msg":"Shutting down","attr":{"exitCode":100}}',
      ],
      '{"t":1,"s":"E","c":"CONTROL","msg":"DBException, terminating","attr":{"error":"read-only directory: /data/db"}}',
    ],
    [
      'a controller in JSON that ends in good order',
      [
        '{"level":"error","msg":"problem running manager","error":"listen tcp :8080: bind: address already in use"}',
        '{"level":"info","msg":"Wait completed, proceeding to shutdown the manager"}',
      ],
      '{"level":"error","msg":"problem running manager","error":"listen tcp :8080: bind: address already in use"}',
    ],
    [
      'Rust',
      [
        "thread 'main' panicked at src/main.rs:42:47:",
        'called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }',
        'note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace',
      ],
      "thread 'main' panicked at src/main.rs:42:47: called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }",
    ],
    [
      'C++',
      ["terminate called after throwing an instance of 'std::out_of_range'", '  what():  basic_string::substr: __pos is too large'],
      'what():  basic_string::substr: __pos is too large',
    ],
    [
      'a JVM that knows an option no more',
      [
        "Unrecognized VM option 'PrintGCDateStamps'",
        'Error: Could not create the Java Virtual Machine.',
        'Error: A fatal exception has occurred. Program will exit.',
      ],
      "Unrecognized VM option 'PrintGCDateStamps'",
    ],
    ['a JVM with too small a heap', ['Error occurred during initialization of VM', 'Too small maximum heap'], 'Too small maximum heap'],
    [
      'Kafka',
      [
        'ERROR Fatal error during KafkaServer startup. Prepare to shutdown (kafka.server.KafkaServer)',
        "kafka.common.InconsistentClusterIdException: The Cluster ID a doesn't match b",
        'ERROR Exiting Kafka due to fatal exception during startup. (kafka.Kafka$)',
      ],
      "kafka.common.InconsistentClusterIdException: The Cluster ID a doesn't match b",
    ],
    [
      'npm',
      [
        "Error: Cannot find module './config'",
        'npm ERR! code 1',
        'npm ERR! command failed',
        'npm ERR! A complete log of this run can be found in: /x.log',
      ],
      "Error: Cannot find module './config'",
    ],
    [
      'yarn',
      [
        "TypeError: Cannot read properties of undefined (reading 'url')",
        'error Command failed with exit code 1.',
        'info Visit https://yarnpkg.com for documentation about this command.',
      ],
      "TypeError: Cannot read properties of undefined (reading 'url')",
    ],
    [
      'older Node.js',
      [
        '(node:1) UnhandledPromiseRejectionWarning: Error: connect ECONNREFUSED 10.0.0.9:5432',
        '(node:1) UnhandledPromiseRejectionWarning: Unhandled promise rejection. This error originated either by throwing inside of an async function',
        '(node:1) [DEP0018] DeprecationWarning: Unhandled promise rejections are deprecated.',
      ],
      '(node:1) UnhandledPromiseRejectionWarning: Error: connect ECONNREFUSED 10.0.0.9:5432',
    ],
    [
      'a supervisor',
      [
        '/app/run: line 3: gunicorn: command not found',
        'WARN exited: web (exit status 127; not expected)',
        'INFO gave up: web entered FATAL state, too many start retries too quickly',
      ],
      '/app/run: line 3: gunicorn: command not found',
    ],
    [
      'Keycloak',
      [
        'ERROR: Failed to start server in (production) mode',
        'ERROR: Failed to obtain JDBC connection: password authentication failed',
        'For more details run the same command passing the --verbose option',
      ],
      'ERROR: Failed to obtain JDBC connection: password authentication failed',
    ],
    [
      'an unknown flag in Go, before the usage',
      ['flag provided but not defined: -adr', 'Usage of /app:', '  -fail-after int', '    \terrors (default 3)'],
      'flag provided but not defined: -adr',
    ],
    [
      '.NET',
      ['info: Shop.Importer[0]', '      Looking for orders', 'fail: Shop.Importer[14]', '      Cannot import order 8841'],
      'fail: Shop.Importer[14] Cannot import order 8841',
    ],
    ['a program that only says that it failed', ['INFO starting', 'ERROR initialization failed', 'ERROR shutting down'], 'ERROR shutting down'],
    [
      'an end that says why',
      ['WARN key region is missing', 'cannot open /data: permission denied, exiting'],
      'cannot open /data: permission denied, exiting',
    ],
    [
      'words that begin with E, which are no code of the system',
      ['ERROR no route to ledger', 'executor stopped, everything is empty, exiting'],
      'ERROR no route to ledger',
    ],
    [
      'Kestrel',
      [
        'crit: Microsoft.AspNetCore.Hosting[6]',
        '      Application startup exception',
        "      System.InvalidOperationException: Unable to resolve service 'IStock'.",
        '         at Microsoft.Get()',
      ],
      "crit: Microsoft.AspNetCore.Hosting[6] Application startup exception System.InvalidOperationException: Unable to resolve service 'IStock'.",
    ],
    [
      'Elixir',
      [
        '[notice] Application shop exited: failed to start child: Shop.Repo',
        '    ** (EXIT) an exception was raised:',
        '        ** (RuntimeError) environment variable DATABASE_URL is missing.',
        'Crash dump is being written to: /erl_crash.dump...done',
      ],
      '** (RuntimeError) environment variable DATABASE_URL is missing.',
    ],
    [
      'ZooKeeper',
      [
        'ERROR Invalid config, exiting abnormally',
        'ConfigException: Error processing /conf/zoo.cfg',
        'Caused by: java.lang.IllegalArgumentException: /data/myid file is missing',
        '\tat X.check(X.java:7)',
        'Invalid config, exiting abnormally',
        'ERROR Exiting JVM with code 2',
      ],
      'Caused by: java.lang.IllegalArgumentException: /data/myid file is missing',
    ],
  ])('%s', (_, lines, told) => {
    const log = lines.join('\n')
    expect(wholeOf(log, tellingLine(log) ?? '')).toBe(told)
  })
})

test('a frame of asterisks is left out', () => {
  const line = 'ERROR 1 --- [main] LoggingFailureAnalysisReporter   :'
  expect(wholeOf(`${line}\n\n*****\nAPPLICATION FAILED TO START\n*****`, line)).toBe(`${line} APPLICATION FAILED TO START`)
})

test('the head of an entry of .NET is told with its words', () => {
  const log = 'fail: Shop.Importer[14]\n      Order 8841 is refused\ninfo: Shop.Importer[0]\n      Looking for orders'
  expect(wholeOf(log, 'fail: Shop.Importer[14]')).toBe('fail: Shop.Importer[14] Order 8841 is refused')
})

test.each([
  ['fail: Shop.Orders.Importer[14]', true],
  ['crit: Microsoft.AspNetCore.Hosting[6]', true],
  ['info: Shop.Orders.Importer[14]', false],
  ['DAMN ! worker 1 (pid: 9) died :( trying respawn ...', true],
  ['WARNING: [pool www] child 17 exited on signal 11 (SIGSEGV) after 3 seconds', true],
  ["Process 'ForkPoolWorker-1' pid:9 exited with 'signal 9 (SIGKILL)'", true],
  ['NOTICE: child 17 exited with code 0 after 3 seconds', false],
  ['worker process 29 exited on signal 15', false],
  ['{"t":{"$date":"2026-11-27T18:50:54Z"},"s":"E","c":"STORAGE","msg":"WiredTiger"}', true],
  ['{"t":{"$date":"2026-11-27T18:50:54Z"},"s":"I","c":"STORAGE","msg":"WiredTiger error: none"}', false],
])('%s is alarming: %s', (line, alarming) => {
  expect(isAlarming(line)).toBe(alarming)
})

test.each([
  'unable to retrieve container logs for containerd://0123',
  'failed to try resolving symlinks in path "/var/log/pods/shop_shop_1/shop/1.log": lstat /var/log/pods/shop_shop_1/shop/1.log: no such file or directory',
])('what the kubelet says in the place of a log that is gone is none: %s', async (previousLog) => {
  const lastState = { terminated: { exitCode: 1, reason: 'Error', startedAt: secondsAgo(60), finishedAt: secondsAgo(38) } }
  const shop = { name: 'shop', restartCount: 3, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState }
  const world = { ...quiet(changed(captured('healthy-web'), { status: { containerStatuses: [shop], conditions: [] } })), previousLog }
  expect((await findingsOf(world))[0]?.title).toBe('Container shop ended with exit code 1 again and again, restarted 3 times')
  expect((await findingsOf({ ...world, log: 'exec /app: exec format error\n' }))[0]?.title).toMatch(/: exec \/app: exec format error$/)
})
