// The Node.js runtime: loads a function's handler and serves it from the Lambda Runtime API (2018-06-01).
//
// Usage: node bootstrap.mjs. The rest comes from the environment variables that Lambda defines: AWS_LAMBDA_RUNTIME_API, _HANDLER,
// LAMBDA_TASK_ROOT, AWS_EXECUTION_ENV, AWS_LAMBDA_FUNCTION_*, AWS_LAMBDA_LOG_*. Without _HANDLER it waits until the server tells it
// the environment of its function. Behaviour follows the AWS documentation ("Building Lambda functions with Node.js") and what
// Lambda's runtime shows to a function: error types and texts, the context object, the format of log lines. Lambda changed the
// handler's contract with Node.js 24: the version promised by the runtime's name decides. Node's own modules only; it runs on
// Node.js 18 and later, and imports little, because its start is part of every cold start.
//
// A log event is one line: line ends inside an event are written as carriage returns, which the log collector turns back.

import { existsSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { format, types } from "node:util";

const require = createRequire(import.meta.url);

const API = "/2018-06-01/runtime/";
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const NEVER_SETTLED =
  "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never " +
  "settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes";

/** An error with Lambda's own type: its class with the prefix "Runtime.". */
class Fault extends Error {
  get name() {
    return `Runtime.${this.constructor.name}`;
  }
}
class CallbackHandlerDeprecated extends Fault {}
class HandlerNotFound extends Fault {}
class ImportModuleError extends Fault {}
class JSONStringifyError extends Fault {}
class MalformedHandlerName extends Fault {}
class MalformedStreamingHandler extends Fault {}
class NodeJsExit extends Fault {}
class UnhandledPromiseRejection extends Fault {}
class UserCodeSyntaxError extends Fault {}

/** A socket, read in pieces of a wanted size. It keeps the process alive only while held. */
class Connection {
  constructor(host, port) {
    this.chunks = [];
    this.size = 0;
    this.ended = false;
    this.wake = () => {};
    this.socket = connect({ host, port, noDelay: true })
      .on("data", (chunk) => {
        this.chunks.push(chunk);
        this.size += chunk.length;
        this.wake();
      })
      .on("error", (error) => {
        this.error = error;
      })
      .on("close", () => {
        this.ended = true;
        this.wake();
      });
  }

  async more() {
    if (this.ended) throw new Error("the runtime API closed the connection", { cause: this.error });
    await new Promise((wake) => {
      this.wake = wake;
    });
  }

  /** Reads size bytes. */
  async take(size) {
    while (this.size < size) await this.more();
    const all = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
    this.chunks = all.length > size ? [all.subarray(size)] : [];
    this.size -= size;
    return all.subarray(0, size);
  }

  /** Reads text up to a mark, and drops the mark. */
  async until(mark) {
    for (;;) {
      if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
      const end = this.chunks[0]?.indexOf(mark) ?? -1;
      if (end >= 0) return (await this.take(end + mark.length)).toString("utf8", 0, end);
      await this.more();
    }
  }
}

/** A keep-alive HTTP/1.1 client for one server. node:http would cost more at the start and with each request. */
class RuntimeAPI {
  constructor(address) {
    const colon = address.lastIndexOf(":");
    this.host = address.slice(0, colon);
    this.port = Number(address.slice(colon + 1));
    this.connection = null;
  }

  head(method, path, headers) {
    const lines = [`${method} ${API}${path} HTTP/1.1`, `Host: ${this.host}:${this.port}`];
    for (const name in headers) lines.push(`${name}: ${headers[name]}`);
    return lines.join("\r\n") + "\r\n\r\n";
  }

  /** Returns status code, headers (names in lower case) and body. */
  async call(method, path, body = "", headers = {}) {
    const length = method === "POST" ? { "Content-Length": Buffer.byteLength(body) } : {};
    const request = this.head(method, path, { ...length, ...headers }) + body;
    let head = null;
    if (this.connection !== null && !this.connection.ended) {
      // The server may have closed the idle connection: then nothing comes, and a new one is made.
      head = await this.send(request).catch(() => null);
    }
    if (head === null) {
      this.connection = new Connection(this.host, this.port);
      head = await this.send(request);
    }
    return this.answer(head);
  }

  /** Makes the next call use another connection: the server is faster on those that ask for and answer invocations only. */
  disconnect() {
    this.connection.socket.destroy();
    this.connection = null;
  }

  send(request) {
    this.connection.socket.ref();
    this.connection.socket.write(request);
    return this.connection.until("\r\n\r\n");
  }

  /** Begins a request whose body comes in parts, each by part, the last by end. Only writes keep the process alive meanwhile. */
  begin(path, headers) {
    if (this.connection === null || this.connection.ended) this.connection = new Connection(this.host, this.port);
    this.connection.socket.unref();
    this.connection.socket.write(this.head("POST", path, { "Transfer-Encoding": "chunked", ...headers }));
  }

  part(bytes, written) {
    const { socket } = this.connection;
    if (bytes.length === 0) return written(); // a part of no bytes would be the end
    socket.cork();
    socket.write(bytes.length.toString(16) + "\r\n");
    socket.write(bytes);
    socket.write("\r\n", written);
    socket.uncork();
  }

  async end(trailers) {
    const lines = Object.keys(trailers).map((name) => `${name}: ${trailers[name]}\r\n`);
    return this.answer(await this.send("0\r\n" + lines.join("") + "\r\n"));
  }

  async answer(head) {
    const [status, ...lines] = head.split("\r\n");
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const chunked = headers["transfer-encoding"]?.toLowerCase() === "chunked";
    const body = chunked ? await this.chunks() : await this.connection.take(Number(headers["content-length"] ?? 0));
    this.connection.socket.unref();
    return { code: Number(status.split(" ")[1]), headers, body: body.toString() };
  }

  async chunks() {
    const chunks = [];
    for (;;) {
      const size = parseInt(await this.connection.until("\r\n"), 16);
      chunks.push(await this.connection.take(size));
      await this.connection.until("\r\n");
      if (size === 0) return Buffer.concat(chunks);
    }
  }

  async post(path, body, headers) {
    this.check(path, await this.call("POST", path, body, { "Content-Type": "application/json", ...headers }));
  }

  check(path, { code, body: answer }) {
    if (code >= 400) emit(`LAMBDA_RUNTIME Failed to post ${path}. Http response code: ${code}. ${answer}`);
    if (code >= 500) process.exit(1); // "Container error. Non-recoverable state. Runtime should exit promptly."
  }
}

/** Waits for the environment of a function, and has no other afterwards. */
async function becomeFunction(api) {
  const { code, body } = await api.call("GET", "licet/environment");
  if (code !== 200) throw new Error(`Failed to get the environment. Http response code: ${code}`);
  api.disconnect();
  for (const name in process.env) delete process.env[name];
  for (const variable of JSON.parse(body)) {
    const end = variable.indexOf("=");
    process.env[variable.slice(0, end)] = variable.slice(end + 1);
  }
  process.chdir(process.env.LAMBDA_TASK_ROOT);
}

const api = new RuntimeAPI(process.env.AWS_LAMBDA_RUNTIME_API);
if (process.env._HANDLER === undefined) await becomeFunction(api);

const JSON_LOGS = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
const VERSION = parseInt(process.env.AWS_EXECUTION_ENV?.replace("AWS_Lambda_nodejs", "") ?? process.versions.node, 10);
// From Node.js 24 on there are no callbacks, and nothing waits for an empty event loop.
const CALLBACKS = !(VERSION >= 24);

const current = { requestId: undefined, tenantId: undefined }; // of the invocation, for log lines
const clock = new Int32Array(new SharedArrayBuffer(4));

/** Writes one log event in one piece, and returns when it is written: the process may end right after. */
function emit(text) {
  let end = text.length;
  while (text[end - 1] === "\n") end--;
  let line = Buffer.from(text.slice(0, end).replace(/\r?\n/g, "\r") + "\n");
  while (line.length > 0) {
    try {
      line = line.subarray(writeSync(1, line));
    } catch (error) {
      if (error.code !== "EAGAIN") return; // nobody reads: console methods do not throw
      Atomics.wait(clock, 0, 0, 1); // the pipe is full, and process.stdout made it one that does not block
    }
  }
}

function log(level, args) {
  const time = new Date().toISOString();
  emit(JSON_LOGS ? jsonLine(time, level, args) : `${time}\t${current.requestId}\t${level}\t${format(...args)}`);
}

/** The lines of LoggingConfig.LogFormat JSON. */
function jsonLine(timestamp, level, args) {
  const line = { timestamp, level, ...current };
  if (args.length === 1) {
    try {
      return JSON.stringify({ ...line, message: args[0] }, (_, value) => (value instanceof Error ? errorFields(value) : value));
    } catch {} // such as circular: shown as text
  }
  const error = args.slice(1).find((value) => value instanceof Error);
  return JSON.stringify({ ...line, message: format(...args), ...(error && errorFields(error, {})) });
}

function errorFields(error, more = error) {
  const stackTrace = typeof error.stack === "string" ? error.stack.split("\n") : [];
  return { errorType: error.constructor?.name ?? "UnknownError", errorMessage: error.message, stackTrace, ...more };
}

function patchConsole() {
  const lowest = LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase());
  LEVELS.forEach((level, i) => {
    console[level.toLowerCase()] = i < lowest ? () => {} : (message, ...more) => log(level, [message, ...more]);
  });
  console.log = console.info;
}

/** The error object that Lambda returns to the caller. */
function failure(error) {
  try {
    const fields = [error?.name, error?.message, error?.stack];
    if (types.isNativeError(error) || fields.every((field) => typeof field === "string" && field !== "")) {
      return { errorType: String(error.name), errorMessage: String(error.message), trace: error.stack.split("\n") };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    const errorMessage =
      "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack";
    return { errorType: "handled", errorMessage, trace: [] };
  }
}

function textOf(value) {
  try {
    return String(value);
  } catch {
    return typeof value; // an object without toString
  }
}

function logError(title, thrown) {
  const error = thrown instanceof Error ? thrown : new Error(textOf(thrown));
  if (JSON_LOGS) return console.error(error);
  const fields = (_, value) => {
    if (!(value instanceof Error)) return value;
    const stack = typeof value.stack === "string" ? { stack: value.stack.split("\n") } : {};
    return { errorType: value.name, errorMessage: value.message, code: value.code, ...value, ...stack };
  };
  let text;
  try {
    text = JSON.stringify(error, fields);
  } catch {
    text = JSON.stringify(failure(error)); // own fields of the error are circular
  }
  console.error(title, "\t" + text);
}

/** Says whether the nearest package.json makes .js files ES modules. */
function isModulePackage(dir) {
  if (basename(dir) === "node_modules") return false;
  const file = join(dir, "package.json");
  if (existsSync(file)) {
    try {
      return JSON.parse(readFileSync(file, "utf8"))?.type === "module";
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return dir !== dirname(dir) && isModulePackage(dirname(dir));
}

/** Loads a module of the function's code: first as a file at path, then as require() finds its name from the directories. */
async function loadModule(path, name, dirs) {
  const modulePackage = isModulePackage(dirname(path));
  for (const extension of ["", ".js", ".mjs", ".cjs"]) {
    const file = path + extension;
    if (!existsSync(file)) continue;
    if (extension === ".mjs" || (extension === ".js" && modulePackage)) return import(pathToFileURL(file));
    return require(file);
  }
  return require(require.resolve(name, { paths: dirs }));
}

/** Returns the function that a handler setting such as "app/module.handler" names. */
async function load(root, name) {
  if (name.includes("..")) {
    const advice = "Use absolute paths when specifying root directories in handler names.";
    throw new MalformedHandlerName(`'${name}' is not a valid handler name. ${advice}`);
  }
  const parts = /^([^.]*)\.(.*)$/.exec(basename(name));
  if (parts === null) throw new MalformedHandlerName("Bad handler");
  const [, moduleName, property] = parts;
  const dir = resolve(root, dirname(name));
  let module;
  try {
    module = await loadModule(join(dir, moduleName), moduleName, [root, dir]);
  } catch (error) {
    if (error instanceof SyntaxError) { // whose stack may tell file and line
      throw Object.defineProperty(new UserCodeSyntaxError(error), "stack", { value: error.stack });
    }
    throw error?.code === "MODULE_NOT_FOUND" ? new ImportModuleError(error) : error;
  }
  const find = (object) => property.split(".").reduce((value, key) => value?.[key], object);
  const handler = find(module) ?? (CALLBACKS ? undefined : find(module?.default));
  if (!handler) throw new HandlerNotFound(`${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new HandlerNotFound(`${name} is not a function`);
  if (handler[STREAMING] !== undefined && handler[STREAMING] !== "response") {
    throw new MalformedStreamingHandler("Only response streaming is supported.");
  }
  if (!CALLBACKS && !handler[STREAMING] && handler.length >= 3) {
    throw new CallbackHandlerDeprecated(
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. " +
        "You need to modify this function to use a supported handler signature to use Node.js 24 or later. " +
        "For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  }
  return handler;
}

/** What all runtimes have in the second argument of a handler. */
function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const clientContext = jsonHeader(headers, "lambda-runtime-client-context", "ClientContext");
  const w3c = w3cFields(clientContext);
  return {
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext,
    identity: jsonHeader(headers, "lambda-runtime-cognito-identity", "CognitoIdentity"),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    getRemainingTimeInMillis: () => deadline - Date.now(),
    w3c: () => w3c,
  };
}

/** Takes the W3C trace context out of a client context: what of it is text. */
function w3cFields(clientContext) {
  const fields = {};
  const given = clientContext?.w3c;
  if (typeof clientContext === "object") delete clientContext?.w3c;
  for (const name of ["traceparent", "tracestate", "baggage"]) {
    if (typeof given?.[name] === "string") fields[name] = given[name];
  }
  return Object.freeze(fields);
}

function jsonHeader(headers, name, what) {
  if (!headers[name]) return undefined;
  try {
    return JSON.parse(headers[name]);
  } catch (error) {
    throw new Error(`Cannot parse ${what} as json: ${error}`);
  }
}

const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";

/** The response of a handler that streams: the stream that it writes, and what the runtime needs of it. */
class StreamedResponse {
  constructor(api, path, headers, highWaterMark = 64 * 1024) {
    this.api = api;
    this.path = path;
    this.headers = headers;
    this.contentType = "application/octet-stream";
    this.begun = false;
    this.prelude = () => {}; // called before the first part
    const { Writable } = require("node:stream"); // here, because few functions need it
    this.finished = new Promise((resolve, reject) => {
      this.stream = new Writable({
        highWaterMark,
        write: (bytes, _, written) => this.part(bytes, written),
        final: (done) => this.end({}).then(() => done(), done),
      });
      this.stream.on("finish", resolve).on("error", reject);
    });
    this.finished.catch(() => {}); // the handler's own error comes first
    const write = this.stream.write;
    this.stream.write = (part, ...rest) => write.call(this.stream, isBytes(part) ? part : JSON.stringify(part), ...rest);
    this.stream.setContentType = (type) => {
      if (this.begun) throw new Error("Cannot set content-type, too late.");
      this.contentType = type;
    };
    this.stream._onBeforeFirstWrite = (prelude) => {
      this.prelude = prelude;
    };
  }

  begin() {
    if (this.begun) return;
    this.begun = true;
    this.api.begin(this.path, {
      "Content-Type": this.contentType,
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      Trailer: `${ERROR_TYPE}, ${ERROR_BODY}`,
      ...this.headers,
    });
    this.prelude((bytes) => this.api.part(Buffer.from(bytes), () => {}));
  }

  part(bytes, written) {
    this.begin();
    this.api.part(bytes, written);
  }

  async end(trailers) {
    this.begin();
    this.ended = true;
    this.api.check(this.path, await this.api.end(trailers));
  }

  /** Ends a response that has begun with an error. */
  async fail(error) {
    if (this.ended) return;
    const failed = failure(error);
    const body = Buffer.from(JSON.stringify(failed)).toString("base64");
    await this.end({ [ERROR_TYPE]: errorKind(failed), [ERROR_BODY]: body });
  }
}

function isBytes(part) {
  return typeof part === "string" || part instanceof Uint8Array;
}

/** The type of an error as a header has it. */
function errorKind(failed) {
  return /^[\w.]+$/.test(failed.errorType) ? failed.errorType : "Unhandled";
}

class Runtime {
  constructor() {
    this.api = api;
    this.errorPath = "init/error"; // where an error belongs now; null when nobody waits for one
    this.echo = {}; // headers that every answer to the invocation has
    this.answering = null; // the last answer, as a promise
    this.stopping = false;
    this.emptied = () => {}; // called when the event loop is empty
  }

  async run() {
    process.on("beforeExit", () => this.emptied());
    process.on("uncaughtException", (error) => this.stop("Uncaught Exception", error, 129));
    process.on("unhandledRejection", (reason, promise) => {
      const error = Object.assign(new UnhandledPromiseRejection(textOf(reason)), { reason, promise });
      this.stop("Unhandled Promise Rejection", error, 128);
    });
    try {
      this.handler = await load(process.env.LAMBDA_TASK_ROOT ?? process.cwd(), process.env._HANDLER);
    } catch (error) {
      return this.stop("Uncaught Exception", error, 129);
    }
    await new Promise(setImmediate); // errors of the module that nobody handles come first
    while (!this.stopping) await this.serve();
  }

  /** Handles one invocation. */
  async serve() {
    this.errorPath = null;
    const { code, headers, body } = await this.api.call("GET", "invocation/next");
    if (code !== 200) throw new Error(`Failed to get next invocation. Http response code: ${code}`);
    if (this.stopping) return;
    const path = `invocation/${headers["lambda-runtime-aws-request-id"]}/`;
    const echo = headers["lambda-runtime-invocation-id"];
    this.echo = echo ? { "Lambda-Runtime-Invocation-Id": echo } : {};
    this.errorPath = path + "error";
    current.requestId = headers["lambda-runtime-aws-request-id"];
    current.tenantId = headers["lambda-runtime-aws-tenant-id"];
    if (headers["lambda-runtime-trace-id"]) process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
    else delete process.env._X_AMZN_TRACE_ID;

    if (this.handler[STREAMING]) return this.serveStream(path, headers, body);
    const answer = await this.answer(headers, body);
    this.emptied = () => {};
    if (this.stopping) return;
    if ("error" in answer) {
      logError("Invoke Error", answer.error);
      this.answering = this.fail(this.api, answer.error);
    } else {
      this.answering = this.api.post(path + "response", answer.text, this.echo);
    }
    this.errorPath = null;
    await this.answering;
  }

  /** Handles one invocation of a handler that streams. An error after the first byte ends the response. */
  async serveStream(path, headers, body) {
    const response = new StreamedResponse(this.api, path + "response", this.echo, this.handler[HIGH_WATER_MARK]);
    try {
      const neverEnded = new Promise((_, reject) => {
        this.emptied = () => reject(new NodeJsExit(NEVER_SETTLED));
      });
      const handled = async () => {
        await this.handler(JSON.parse(body), response.stream, { callbackWaitsForEmptyEventLoop: true, ...contextOf(headers) });
        await response.finished;
      };
      await Promise.race([handled(), neverEnded]);
    } catch (error) {
      if (this.stopping) return;
      logError("Invoke Error", error);
      this.answering = response.begun ? response.fail(error) : this.fail(this.api, error);
    } finally {
      this.emptied = () => {};
      this.errorPath = null;
      await this.answering;
    }
  }

  fail(api, error) {
    const failed = failure(error);
    return api.post(this.errorPath, JSON.stringify(failed), { [ERROR_TYPE]: errorKind(failed), ...this.echo });
  }

  /** Reports an error that nobody handled and ends the process. It comes after an answer that is on its way. */
  async stop(title, error, exitCode) {
    logError(title, error);
    if (this.stopping) return;
    this.stopping = true;
    try {
      await this.answering;
      // The first connection may be waiting for the next event.
      if (this.errorPath !== null) await this.fail(new RuntimeAPI(process.env.AWS_LAMBDA_RUNTIME_API), error);
    } finally {
      process.exit(exitCode);
    }
  }

  async answer(headers, body) {
    try {
      return { text: stringify(await this.invoke(headers, body)) };
    } catch (error) {
      return { error };
    }
  }

  /** Runs the handler as a method of Runtime, which is what stack traces show in Lambda ("at Runtime.handler"). */
  async invoke(headers, body) {
    const event = JSON.parse(body);
    const context = contextOf(headers);
    if (CALLBACKS) return (await this.invokeWithCallback(event, context)).result;
    try {
      const neverSettled = new Promise((_, reject) => {
        this.emptied = () => reject(new NodeJsExit(NEVER_SETTLED));
      });
      return await Promise.race([this.handler(event, context), neverSettled]);
    } finally {
      await new Promise(setImmediate); // errors that nobody handles come first, and end the process
    }
  }

  /**
   * Runs the handler as before Node.js 24: the result is that of its promise, or of the first call of callback, context.done,
   * succeed or fail. The callback waits until nothing is left to do. A value returned without a promise counts for nothing.
   */
  invokeWithCallback(event, context) {
    return new Promise((settle, reject) => {
      let finished = false;
      const once = (func) => (...args) => {
        if (finished) return;
        finished = true;
        func(...args);
      };
      const succeed = (result) => settle({ result }); // wrapped: a promise given to the callback is not waited for
      const fail = (error) => reject(error ?? "handled");
      const done = (error, result) => (isMissing(error) ? succeed(result) : reject(error));
      const callback = once((error, result) => {
        if (isMissing(error) && full.callbackWaitsForEmptyEventLoop) this.emptied = () => succeed(result);
        else done(error, result);
      });
      const legacy = { succeed: once(succeed), fail: once(fail), done: once(done) };
      const full = { callbackWaitsForEmptyEventLoop: true, ...legacy, ...context };
      const isAsync = this.handler.constructor?.name === "AsyncFunction";
      this.emptied = () => (isAsync ? fail(new NodeJsExit(NEVER_SETTLED)) : succeed(null));
      try {
        const result = this.handler(event, full, callback);
        if (typeof result?.then === "function") result.then(legacy.succeed, legacy.fail);
      } catch (error) {
        callback(error);
      }
    });
  }
}

function isMissing(error) {
  return error === undefined || error === null;
}

function stringify(result) {
  let text;
  try {
    text = JSON.stringify(result === undefined ? null : result);
  } catch {} // circular, or a BigInt: told below
  if (text !== undefined) return text;
  throw new (CALLBACKS ? Error : JSONStringifyError)("Unable to stringify response body");
}

/** Streaming is told by the mark on the handler, as in Lambda. */
function offerStreaming() {
  globalThis.awslambda = {
    streamifyResponse: (handler, options) => {
      if (options?.highWaterMark !== undefined) handler[HIGH_WATER_MARK] = parseInt(options.highWaterMark, 10);
      return Object.assign(handler, { [STREAMING]: "response" });
    },
    HttpResponseStream: {
      /** Puts status, headers and cookies before what is written: as JSON, eight bytes of zero, and the body. */
      from(stream, prelude) {
        stream.setContentType("application/vnd.awslambda.http-integration-response");
        const text = JSON.stringify(prelude);
        stream._onBeforeFirstWrite((write) => {
          write(text);
          write(new Uint8Array(8));
        });
        return stream;
      },
    },
  };
}

patchConsole();
offerStreaming();
new Runtime().run().catch((error) => {
  emit(`LAMBDA_RUNTIME ${error.message}`);
  process.exit(1);
});
