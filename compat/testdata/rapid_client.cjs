// Takes the place of the native part of npm's aws-lambda-ric, which needs a C++ compiler and downloads: answers are sent by Node's own
// HTTP client in another thread, and waited for, as curl in the native part does it. All else is the official client's own.
const Module = require("node:module");
const { Worker } = require("node:worker_threads");

const sender = `
const http = require("node:http");
const { parentPort, workerData } = require("node:worker_threads");
parentPort.on("message", ({ path, body, headers }) => {
  const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
  const done = (status) => { Atomics.store(workerData, 0, status); Atomics.notify(workerData, 0); };
  const request = http.request({ hostname, port, method: "POST", path: "/2018-06-01/runtime/invocation/" + path, headers }, (response) =>
    response.resume().on("end", () => done(response.statusCode)));
  request.on("error", () => done(-1));
  request.end(body);
});`;

const status = new Int32Array(new SharedArrayBuffer(4));
let worker;

function post(path, body, headers) {
  if (!worker) {
    worker = new Worker(sender, { eval: true, workerData: status });
    worker.unref();
  }
  Atomics.store(status, 0, 0);
  worker.postMessage({ path, body, headers });
  Atomics.wait(status, 0, 0);
  if (status[0] !== 202) throw new Error(`the Runtime API answered ${path} with ${status[0]}`);
}

const client = {
  initializeClient() {},
  done: (id, body) => post(id + "/response", body, { "Content-Type": "application/json" }),
  error: (id, body) =>
    post(id + "/error", body, { "Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": JSON.parse(body).errorType }),
};

const load = Module._load;
Module._load = function (request, ...rest) {
  return request === "./rapid-client.node" ? client : load.call(this, request, ...rest);
};
