/**
 * The Node.js runtime: loads a function's handler and serves it from the Lambda Runtime API (2018-06-01).
 *
 * All it needs is in the environment variables that Lambda defines: AWS_LAMBDA_RUNTIME_API, _HANDLER, LAMBDA_TASK_ROOT,
 * AWS_LAMBDA_FUNCTION_*, AWS_LAMBDA_LOG_*. Behaviour follows the AWS documentation ("Building Lambda functions with Node.js") and
 * what Lambda's runtime shows to a function: error types and texts, the context object, callbacks (until Node.js 22), the format
 * of log lines. Node's own modules only; it runs on Node.js 16 and later.
 *
 * A log event is one line: line ends inside an event are written as carriage returns, which the log collector turns back.
 * Response streaming is not supported: awslambda.streamifyResponse says so.
 */
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';

const require = createRequire(import.meta.url);
const jsonLogs = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
/** Node.js 24 and later have no callbacks (Developer Guide, "Define Lambda function handler in Node.js"). */
const callbacks = !(parseInt(process.env.AWS_EXECUTION_ENV?.split('nodejs')[1], 10) >= 24);

let requestId; // of the current invocation
let tenantId;
let onIdle; // what to do when the event loop is empty
let reportFatal = (error) => api.post('init/error', stringify(toResponse(error)), toResponse(error).errorType);

// ---- Errors

/** An error with one of Lambda's own types. */
class RuntimeError extends Error {
  constructor(type, message, stack) {
    super(message);
    Object.defineProperty(this, 'name', { value: `Runtime.${type}` });
    this.stack = stack ?? this.stack.replace(/^Error/, this.name);
  }
}

/** The error object that Lambda returns to the caller. */
function toResponse(error) {
  try {
    const like = typeof error?.name === 'string' && typeof error.message === 'string' && typeof error.stack === 'string';
    return like || util.types.isNativeError(error)
      ? { errorType: error.name, errorMessage: error.message, trace: error.stack.split('\n') }
      : { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
}

/** An error with what JSON.stringify leaves out of it. */
function withHidden(_key, value) {
  if (!(value instanceof Error)) return value;
  const visible = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
  return typeof value.stack === 'string' ? { ...visible, stack: value.stack.split('\n') } : visible;
}

function logError(what, error) {
  const e = error instanceof Error ? error : new Error(error);
  if (jsonLogs) return console.error(e);
  let text;
  try {
    text = JSON.stringify(e, withHidden);
  } catch {
    text = JSON.stringify(toResponse(e));
  }
  console.error(what, `\t${text}`);
}

// ---- Logs

function textLine(time, level, args) {
  return `${time}\t${requestId}\t${level}\t${util.format(...args)}`;
}

function describeError(e) {
  return {
    errorType: e.constructor?.name ?? 'UnknownError',
    errorMessage: e.message,
    stackTrace: typeof e.stack === 'string' ? e.stack.split('\n') : [],
  };
}

function jsonLine(timestamp, level, args) {
  const line = { timestamp, level, requestId, ...(tenantId === undefined ? {} : { tenantId }) };
  if (args.length === 1) {
    try {
      const errors = (_key, value) => (value instanceof Error ? { ...describeError(value), ...value } : value);
      return JSON.stringify({ ...line, message: args[0] }, errors);
    } catch {
      // what cannot be serialised is formatted
    }
  }
  const error = args.length > 1 && args.find((a) => a instanceof Error);
  return JSON.stringify({ ...line, message: util.format(...args), ...(error ? describeError(error) : {}) });
}

/** Replaces the console's methods by ones that write a line for each call, if its level is to be logged. */
function patchConsole() {
  const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const least = Math.max(0, levels.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()));
  const format = jsonLogs ? jsonLine : textLine;
  levels.forEach((level, i) => {
    console[level.toLowerCase()] = (...args) => {
      if (i < least) return;
      process.stdout.write(`${format(new Date().toISOString(), level, args).replace(/\r?\n/g, '\r')}\n`);
    };
  });
  console.log = console.info;
}

// ---- Runtime API

const api = {
  agent: new http.Agent({ keepAlive: true, maxSockets: 1 }),

  /** Resolves to status, headers and body. A kept connection that the server had closed is replaced once. */
  call(method, name, body = '', headers = {}) {
    const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
    const options = { agent: this.agent, host, port, method, path: `/2018-06-01/runtime/${name}`, headers };
    return new Promise((resolve, reject) => {
      const request = http.request(options, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() });
        });
      });
      request.on('error', (error) => {
        if (request.reusedSocket && error.code === 'ECONNRESET') resolve(this.call(method, name, body, headers));
        else reject(error);
      });
      request.end(body);
    });
  },

  async post(name, body, errorType) {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    if (errorType) headers['Lambda-Runtime-Function-Error-Type'] = errorType;
    const { status, body: answer } = await this.call('POST', name, body, headers);
    if (status >= 400) {
      process.stdout.write(`LAMBDA_RUNTIME Failed to post ${name}. Http response code: ${status}. ${answer}\n`);
    }
    if (status >= 500) process.exit(1); // "Container error. Non-recoverable state. Runtime should exit promptly."
  },
};

function stringify(value) {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    if (callbacks) throw new Error('Unable to stringify response body');
    throw new RuntimeError('JSONStringifyError', 'Unable to stringify response body');
  }
}

// ---- Loading

function isModulePackage(folder) {
  if (folder.endsWith('/node_modules')) return false;
  const file = path.join(folder, 'package.json');
  if (fs.existsSync(file)) {
    try {
      return JSON.parse(fs.readFileSync(file)).type === 'module';
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return folder !== '/' && isModulePackage(path.dirname(folder));
}

/** Loads the first file that exists of those that Lambda tries, in its order. */
async function loadModule(root, folder, name) {
  const file = path.resolve(root, folder, name);
  const byImport = (f) => import(pathToFileURL(f).href);
  const js = isModulePackage(path.dirname(file)) ? byImport : require;
  for (const [extension, load] of [['', require], ['.js', js], ['.mjs', byImport], ['.cjs', require]]) {
    if (fs.statSync(file + extension, { throwIfNoEntry: false })?.isFile()) return load(file + extension);
  }
  return require(require.resolve(name, { paths: [root, path.resolve(root, folder)] }));
}

/** Returns the function that a handler setting such as "src/index.handler" names. */
async function loadHandler(root, setting) {
  if (setting.includes('..')) {
    throw new RuntimeError(
      'MalformedHandlerName',
      `'${setting}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(setting);
  const match = base.match(/^([^.]*)\.(.*)$/);
  if (!match) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  let loaded;
  try {
    loaded = await loadModule(root, setting.slice(0, setting.lastIndexOf(base)), match[1]);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', String(error), error.stack);
    if (error?.code === 'MODULE_NOT_FOUND') throw new RuntimeError('ImportModuleError', String(error));
    throw error;
  }
  const handler = match[2].split('.').reduce((object, key) => object?.[key], loaded);
  if (!handler) throw new RuntimeError('HandlerNotFound', `${setting} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeError('HandlerNotFound', `${setting} is not a function`);
  if (!callbacks && handler.length >= 3) {
    throw new RuntimeError(
      'CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify ' +
        'this function to use a supported handler signature to use Node.js 24 or later. For more information see ' +
        'https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
    );
  }
  return handler;
}

/** The global object of Lambda's streaming functions. */
function refuseStreaming() {
  const refuse = () => {
    throw new RuntimeError('InvalidStreamingOperation', 'Response streaming is not supported by this runtime.');
  };
  globalThis.awslambda = { streamifyResponse: refuse, HttpResponseStream: { from: refuse } };
}

// ---- Invocations

function newContext(headers) {
  const parse = (name, what) => {
    const value = headers[name];
    if (!value) return undefined;
    try {
      return JSON.parse(Buffer.from(value, 'latin1').toString()); // Node reads headers as Latin-1
    } catch (error) {
      throw new Error(`Cannot parse ${what} as json: ${error}`);
    }
  };
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse('lambda-runtime-client-context', 'ClientContext'),
    identity: parse('lambda-runtime-cognito-identity', 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: requestId,
    tenantId,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

/**
 * The ways in which a handler of Node.js 22 or earlier can end an invocation. Only the first counts. done() asks for the next
 * invocation. callback waits until the event loop is empty, unless callbackWaitsForEmptyEventLoop is false.
 */
function newCompletion(invocation, done) {
  let finished = false;
  let waits = true;
  const fail = (error) => {
    logError('Invoke Error', error);
    invocation.fail(error).then(done, crash);
  };
  const succeed = (result) => {
    let posted;
    try {
      posted = invocation.succeed(result);
    } catch (error) {
      return fail(error);
    }
    posted.then(done, crash);
  };
  const once = (end) => (...args) => {
    if (finished) return;
    finished = true;
    onIdle = undefined;
    end(...args);
  };
  const settle = (error, result) => (error === undefined || error === null ? succeed(result) : fail(error));
  const context = {
    get callbackWaitsForEmptyEventLoop() {
      return waits;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      waits = value;
    },
    done: once(settle),
    succeed: once(succeed),
    fail: once((error) => fail(error ?? 'handled')),
  };
  const callback = once((error, result) => {
    const failed = error !== undefined && error !== null;
    if (failed || !waits) settle(error, result);
    else onIdle = () => setImmediate(succeed, result);
  });
  return { callback, context, idle: once(settle) };
}

function crash(error) {
  process.stdout.write(`LAMBDA_RUNTIME ${error}\n`);
  process.exit(1);
}

/** Runs a handler once; resolves when the next invocation may be asked for. */
function invoke(handler, headers, event, invocation) {
  return new Promise((done) => {
    const { callback, context, idle } = newCompletion(invocation, done);
    onIdle = () => {
      const unsettled =
        'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was ' +
        'never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes';
      const asynchronous = !callbacks || handler.constructor.name === 'AsyncFunction';
      idle(asynchronous ? new RuntimeError('NodeJsExit', unsettled) : null, null);
    };
    try {
      const own = newContext(headers);
      if (!callbacks) {
        Promise.resolve(handler(JSON.parse(event), own)).then(context.succeed, context.fail);
        return;
      }
      const properties = Object.getOwnPropertyDescriptors(own);
      const result = handler(JSON.parse(event), Object.defineProperties(context, properties), callback);
      if (typeof result?.then === 'function') result.then(context.succeed, context.fail);
    } catch (error) {
      context.fail(error);
    }
  });
}

/** Handles one invocation. */
async function serve(handler) {
  const { status, headers, body } = await api.call('GET', 'invocation/next');
  if (status !== 200) crash(`Failed to get next invocation. Http response code: ${status}`);
  requestId = headers['lambda-runtime-aws-request-id'];
  tenantId = headers['lambda-runtime-aws-tenant-id'];
  if (headers['lambda-runtime-trace-id']) process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  else delete process.env._X_AMZN_TRACE_ID;
  const name = `invocation/${requestId}`;
  const invocation = {
    succeed: (result) => api.post(`${name}/response`, stringify(result)),
    fail: (error) => {
      const response = toResponse(error);
      const type = response.errorType.startsWith('Runtime.') ? response.errorType : 'Unhandled';
      return api.post(`${name}/error`, stringify(response), type);
    },
  };
  reportFatal = invocation.fail;
  await invoke(handler, headers, body, invocation);
}

/** Reports an error that no handler can answer any more, and ends with the exit status that Lambda's runtime has. */
async function die(what, error, status) {
  logError(what, error);
  try {
    await reportFatal(error);
  } finally {
    process.exit(status);
  }
}

patchConsole();
refuseStreaming();
process.on('uncaughtException', (error) => die('Uncaught Exception', error, 129));
process.on('unhandledRejection', (reason, promise) => {
  const error = Object.assign(new RuntimeError('UnhandledPromiseRejection', String(reason)), { reason, promise });
  die('Unhandled Promise Rejection', error, 128);
});
process.on('beforeExit', () => onIdle?.());

let handler;
try {
  handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
} catch (error) {
  await die('Uncaught Exception', error, 129);
}
for (;;) await serve(handler);
