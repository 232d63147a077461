package runtimes

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/licet/licet/internal/sandbox"
)

// onceNode is a scenario of one CommonJS file, one event and one answer.
func onceNode(code, event, answer string) scenario {
	return scenario{files: map[string]string{"index.js": code}, handler: "index.handler",
		invocations: []invocation{{Event: event}}, want: []post{{response, "", jsonType, answer}}}
}

// failsNode is a scenario of one CommonJS file and one invocation that fails. Its stack traces have no frames: those of Node.js and
// of the bootstrap differ from version to version.
func failsNode(code, kind, message string, fields ...string) scenario {
	body := fmt.Sprintf(`{"errorType":%q,"errorMessage":%q,"trace":%s}`, kind, message, stack(kind, message))
	return with(onceNode("Error.stackTraceLimit = 0;\n"+code, `{}`, ""), func(sc *scenario) {
		sc.want = []post{{failed, kind, jsonType, body}}
		sc.log = nodeError("id-1", "Invoke Error", kind, message, fields...)
	})
}

// nodeError is the log line of an error without a stack.
func nodeError(requestID, title, kind, message string, fields ...string) string {
	fields = append([]string{fmt.Sprintf(`"errorType":%q,"errorMessage":%q`, kind, message)}, fields...)
	return fmt.Sprintf("TIME\t%s\tERROR\t%s \t{%s,\"stack\":%s}\n", requestID, title, strings.Join(fields, ","), stack(kind,
		message))
}

// stack is a stack trace without frames, as a JSON array of lines.
func stack(kind, message string) string {
	return strings.ReplaceAll(fmt.Sprintf("[%q]", kind+": "+message), `\n`, `","`)
}

// diesNode makes a scenario end with an error that nobody handled.
func diesNode(sc scenario, title string, code int) scenario {
	return with(sc, func(sc *scenario) {
		sc.log = strings.Replace(sc.log, "Invoke Error", title, 1)
		sc.ended, sc.exit = true, sandbox.Exit{Code: code}
	})
}

func inFiles(sc scenario, handler string, files map[string]string) scenario {
	sc.files, sc.handler = files, handler
	return sc
}

func withEnv(sc scenario, env ...string) scenario {
	sc.env = env
	return sc
}

const (
	noFrames     = "NODE_OPTIONS=--stack-trace-limit=0"
	node24       = "AWS_EXECUTION_ENV=AWS_Lambda_nodejs24.x"
	neverSettled = "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that " +
		"was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes"
)

func runNode(t *testing.T, scenarios map[string]scenario) {
	for name, sc := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, "nodejs20.x", sc)
		})
	}
}

// streamsNode is a scenario of one streaming handler.
func streamsNode(body, contentType, answer string) scenario {
	return with(onceNode("Error.stackTraceLimit = 0;\nexports.handler = awslambda.streamifyResponse(async (event, stream, context) => {\n"+
		body+"\n})", `{"a":1}`, ""), func(sc *scenario) {
		sc.want = []post{{response, "", contentType, answer}}
	})
}

func TestNodeStreams(t *testing.T) {
	const bytes, http = "application/octet-stream", "application/vnd.awslambda.http-integration-response"
	oops := stack("Error", "oops")
	broken := with(streamsNode(`stream.write("begun"); throw new Error("oops")`, bytes, "begun"), func(sc *scenario) {
		sc.want[0].ErrorType = "Error"
		sc.want[0].Body += `{"errorType":"Error","errorMessage":"oops","trace":` + oops + `}`
		sc.log = nodeError("id-1", "Invoke Error", "Error", "oops")
	})
	before := with(streamsNode(`throw new Error("oops")`, "", ""), func(sc *scenario) {
		sc.want = []post{{failed, "Error", jsonType, `{"errorType":"Error","errorMessage":"oops","trace":` + oops + `}`}}
		sc.log = nodeError("id-1", "Invoke Error", "Error", "oops")
	})
	neverEnds := with(streamsNode(`stream.write("x")`, bytes, "x"), func(sc *scenario) {
		sc.want[0].ErrorType = "Runtime.NodeJsExit"
		sc.want[0].Body += fmt.Sprintf(`{"errorType":"Runtime.NodeJsExit","errorMessage":%q,"trace":%s}`, neverSettled,
			stack("Runtime.NodeJsExit", neverSettled))
		sc.log = nodeError("id-1", "Invoke Error", "Runtime.NodeJsExit", neverSettled)
	})
	runNode(t, map[string]scenario{
		"parts":   streamsNode(`stream.write("one "); await new Promise(setImmediate); stream.write(Buffer.from("two ")); stream.end(JSON.stringify(event))`, bytes, `one two {"a":1}`),
		"nothing": streamsNode(`stream.end()`, bytes, ""),
		"type":    streamsNode(`stream.setContentType("text/plain"); stream.end(context.awsRequestId)`, "text/plain", "id-1"),
		"pipeline": streamsNode(`const { pipeline } = require("node:stream/promises");
	await pipeline(require("node:stream").Readable.from(["a", "b", "c"]), stream)`, bytes, "abc"),
		"http": streamsNode(`stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 }); stream.write("body"); stream.end()`,
			http, `{"statusCode":201}`+strings.Repeat("\x00", 8)+"body"),
		"type too late": streamsNode(`stream.write("x"); try { stream.setContentType("y") } catch (error) { stream.end(error.message) }`, bytes,
			"xCannot set content-type, too late."),
		"large":       streamsNode(`for (let i = 0; i < 100; i++) stream.write("x".repeat(100000)); stream.end()`, bytes, strings.Repeat("x", 10_000_000)),
		"error":       before,
		"error in it": broken,
		"never ends":  neverEnds,
		"since 24":    withEnv(streamsNode(`stream.end("x")`, bytes, "x"), node24),
	})
}

func TestNodeHandlers(t *testing.T) {
	large := `"` + strings.Repeat("ü", 3<<20) + `"`
	runNode(t, map[string]scenario{
		"async": onceNode("exports.handler = async (event) => event", `{"a": [1, 2.5, null, "ü"]}`,
			`{"a":[1,2.5,null,"ü"]}`),
		"async undefined": onceNode("exports.handler = async () => {}", `1`, `null`),
		"promise":         onceNode("exports.handler = (event) => new Promise((ok) => setTimeout(ok, 1, event))", `"x"`, `"x"`),
		"large":           onceNode("exports.handler = async (event) => event", large, large),
		"value without":   onceNode("exports.handler = () => 1", `1`, `null`),
		"value since 24":  withEnv(onceNode("exports.handler = () => 1", `1`, `1`), node24),
		"callback":        onceNode("exports.handler = (event, context, callback) => callback(null, event)", `"x"`, `"x"`),
		"callback later": onceNode("exports.handler = (event, context, done) => { setTimeout(done, 1, null, event) }", `"x"`,
			`"x"`),
		"callback first":   onceNode("exports.handler = (event, context, done) => { done(null, 1); done(null, 2); context.fail('3') }", `1`, `1`),
		"callback nothing": onceNode("exports.handler = (event, context, done) => done()", `1`, `null`),
		"callback waits": onceNode(`exports.handler = (event, context, done) => {
	const result = [];
	setTimeout(() => result.push("later"), 5);
	done(null, result);
}`, `1`, `["later"]`),
		"callback does not wait": onceNode(`exports.handler = (event, context, done) => {
	context.callbackWaitsForEmptyEventLoop = false;
	setInterval(() => {}, 1000);
	done(null, "now");
}`, `1`, `"now"`),
		"promise does not wait": onceNode("exports.handler = async () => { setInterval(() => {}, 1000); return 1 }", `1`, `1`),
		"context.succeed":       onceNode("exports.handler = (event, context) => context.succeed(event)", `"x"`, `"x"`),
		"context.done":          onceNode("exports.handler = (event, context) => context.done(null, event)", `"x"`, `"x"`),
		"global awslambda unused": onceNode("exports.other = awslambda.streamifyResponse(async () => {}); exports.handler = async () => 1",
			`1`, `1`),
		"three on kept and closed connections": {
			files:   map[string]string{"index.js": "let n = 0; exports.handler = async () => ++n"},
			handler: "index.handler", invocations: []invocation{{Event: "1"}, {Event: "1", Close: true}, {Event: "1"}},
			want: []post{{response, "", jsonType, "1"}, {"invocation/id-2/response", "", jsonType, "2"},
				{"invocation/id-3/response", "", jsonType, "3"}},
		},
	})
}

func TestNodeModules(t *testing.T) {
	sc := onceNode("", `1`, `"here"`)
	const commonJS, module = "exports.handler = async () => 'here'", "export const handler = async () => 'here'"
	runNode(t, map[string]scenario{
		"cjs":      inFiles(sc, "index.handler", map[string]string{"index.cjs": commonJS}),
		"mjs":      inFiles(sc, "index.handler", map[string]string{"index.mjs": module}),
		"type":     inFiles(sc, "index.handler", map[string]string{"index.js": module, "package.json": `{"type":"module"}`}),
		"type cjs": inFiles(sc, "index.handler", map[string]string{"index.cjs": commonJS, "package.json": `{"type":"module"}`}),
		"type deep": inFiles(sc, "src/a/index.handler", map[string]string{"src/a/index.js": module,
			"package.json": `{"type":"module"}`}),
		"nearest type": inFiles(sc, "src/index.handler",
			map[string]string{"src/index.js": commonJS, "src/package.json": `{}`, "package.json": `{"type":"module"}`}),
		"no type beyond node_modules": inFiles(sc, "node_modules/index.handler",
			map[string]string{"node_modules/index.js": commonJS, "package.json": `{"type":"module"}`}),
		"top-level await": inFiles(sc, "index.handler",
			map[string]string{"index.mjs": "const here = await new Promise((ok) => setTimeout(ok, 1, 'here')); export const handler = async () => here"}),
		"directory":     inFiles(sc, "src/index.handler", map[string]string{"src/index.js": commonJS}),
		"dots":          inFiles(sc, "src/index.a.b", map[string]string{"src/index.js": "exports.a = {b: async () => 'here'}"}),
		"package":       inFiles(sc, "app.handler", map[string]string{"node_modules/app/index.js": commonJS}),
		"folder":        inFiles(sc, "src/app.handler", map[string]string{"src/app/index.js": commonJS}),
		"strange names": inFiles(sc, "a b%20#c/index.handler", map[string]string{"a b%20#c/index.mjs": module}),
		"requires": inFiles(sc, "index.handler", map[string]string{"index.js": "exports.handler = require('./b').f",
			"b.js": "exports.f = async () => 'here'"}),
		"imports": inFiles(sc, "index.handler", map[string]string{"index.mjs": "export {f as handler} from './b.mjs'",
			"b.mjs": "export const f = async () => 'here'"}),
		"default export": withEnv(inFiles(sc, "index.handler",
			map[string]string{"index.mjs": "export default {handler: async () => 'here'}"}), node24),
	})
}

func TestNodeContext(t *testing.T) {
	const fields = `[context.awsRequestId, context.functionName, context.functionVersion, context.invokedFunctionArn, context.memoryLimitInMB,
	context.logGroupName, context.logStreamName, context.clientContext, context.identity, context.tenantId, process.env._X_AMZN_TRACE_ID]`
	const fixed = `"f","$LATEST","arn:aws:lambda:us-east-1:123456789012:function:f","128","/aws/lambda/f","stream"`
	full := map[string]string{
		"Lambda-Runtime-Client-Context":   `{"custom":{"a":"ü"},"env":{"b":1}}`,
		"Lambda-Runtime-Cognito-Identity": `{"cognitoIdentityId":"me"}`,
		"Lambda-Runtime-Aws-Tenant-Id":    "blue", "Lambda-Runtime-Trace-Id": "Root=1",
	}
	remaining := "exports.handler = async (event, context) => { const ms = context.getRemainingTimeInMillis(); return ms > 0 && ms <= 60000 }"
	keys := "exports.handler = async (event, context) => [context.callbackWaitsForEmptyEventLoop, " +
		"typeof context.done, typeof context.succeed, typeof context.fail]"
	runNode(t, map[string]scenario{
		"full, then empty": {
			files: map[string]string{"index.js": "exports.handler = async (event, context) => " + fields}, handler: "index.handler",
			invocations: []invocation{{Event: "1", Header: full}, {Event: "1"}},
			want: []post{
				{response, "", jsonType,
					`["id-1",` + fixed + `,{"custom":{"a":"ü"},"env":{"b":1}},{"cognitoIdentityId":"me"},"blue","Root=1"]`},
				{"invocation/id-2/response", "", jsonType, `["id-2",` + fixed + `,null,null,null,null]`},
			},
		},
		"remaining time": onceNode(remaining, `1`, `true`),
		"trace context": {
			files:   map[string]string{"index.js": "exports.handler = async (event, context) => [context.w3c(), context.clientContext]"},
			handler: "index.handler",
			invocations: []invocation{
				{Event: "1", Header: map[string]string{
					"Lambda-Runtime-Client-Context": `{"custom":1,"w3c":{"traceparent":"00-a","baggage":7,"other":"x"}}`}},
				{Event: "1", Header: map[string]string{"Lambda-Runtime-Client-Context": `"text"`}},
			},
			want: []post{{response, "", jsonType, `[{"traceparent":"00-a"},{"custom":1}]`},
				{"invocation/id-2/response", "", jsonType, `[{},"text"]`}},
		},
		"callbacks":            onceNode(keys, `1`, `[true,"function","function","function"]`),
		"no callbacks from 24": withEnv(onceNode(keys, `1`, `[null,"undefined","undefined","undefined"]`), node24),
		"this":                 onceNode("exports.handler = async function () { return this.constructor.name }", `1`, `"Runtime"`),
		"not JSON": with(failsNode(`const parse = JSON.parse; // whose words differ from version to version
JSON.parse = (text) => { if (text === "nothing") throw new SyntaxError("bad"); return parse(text) };
exports.handler = async () => 1`, "Error", "Cannot parse ClientContext as json: SyntaxError: bad"), func(sc *scenario) {
			sc.invocations[0].Header = map[string]string{"Lambda-Runtime-Client-Context": "nothing"}
		}),
	})
}

func TestNodeErrors(t *testing.T) {
	const unserializable = "Unable to stringify response body"
	unsettled := failsNode("exports.handler = async () => { await new Promise(() => {}) }", "Runtime.NodeJsExit", neverSettled)
	text := func(code, kind, message, shown string) scenario {
		return with(failsNode(code, kind, message), func(sc *scenario) {
			sc.want[0].Body = fmt.Sprintf(`{"errorType":%q,"errorMessage":%q,"trace":[]}`, kind, message)
			sc.log = nodeError("id-1", "Invoke Error", "Error", shown)
		})
	}
	runNode(t, map[string]scenario{
		"async": failsNode("exports.handler = async () => { throw new TypeError('bad') }", "TypeError", "bad"),
		"from 24": withEnv(failsNode("exports.handler = async () => { throw new TypeError('bad') }", "TypeError", "bad"),
			node24),
		"sync":         failsNode("exports.handler = () => { throw new TypeError('bad') }", "TypeError", "bad"),
		"sync from 24": withEnv(failsNode("exports.handler = () => { throw new TypeError('bad') }", "TypeError", "bad"), node24),
		"callback":     failsNode("exports.handler = (event, context, done) => { setInterval(() => {}, 1000); done(new Error('bad')) }", "Error", "bad"),
		"context.fail": failsNode("exports.handler = (event, context) => context.fail(new Error('bad'))", "Error", "bad"),
		"context.done": failsNode("exports.handler = (event, context) => context.done(new Error('bad'))", "Error", "bad"),
		"own fields": failsNode("exports.handler = async () => { throw Object.assign(new Error('bad'), {code: 'E', own: {a: 1}}) }",
			"Error", "bad", `"code":"E"`, `"own":{"a":1}`),
		"circular field": with(failsNode("exports.handler = async () => { const e = new Error('bad'); e.self = [e]; throw e }",
			"Error", "bad"),
			func(sc *scenario) { sc.log = strings.Replace(sc.log, `"stack"`, `"trace"`, 1) }),
		"string":       text("exports.handler = async () => { throw 'bad' }", "string", "bad", "bad"),
		"fail nothing": text("exports.handler = (event, context) => context.fail()", "string", "handled", "handled"),
		"object":       text("exports.handler = async () => { throw {a: 1} }", "object", "[object Object]", "[object Object]"),
		"sync null":    onceNode("exports.handler = () => { throw null }", `1`, `null`),
		"null from 24": withEnv(text("exports.handler = () => { throw null }", "object", "null", "null"), node24),
		"no prototype": text("exports.handler = async () => { throw Object.create(null) }", "handled",
			"callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
			"object"),
		"name that is no header": with(failsNode("exports.handler = async () => { const e = new Error('bad'); e.name = 'a b'; throw e }",
			"a b", "bad", `"name":"a b"`), func(sc *scenario) { sc.want[0].ErrorType = "Unhandled" }),
		"trace": with(failsNode("", "Error", "bad"), func(sc *scenario) {
			sc.files["index.js"] = "Error.stackTraceLimit = 1;\nconst deeper = () => { throw new Error('bad') };\nexports.handler = async () => deeper()"
			const frame = `,"    at deeper (/var/task/index.js:2:30)"]}`
			sc.want[0].Body = strings.TrimSuffix(sc.want[0].Body, "]}") + frame
			sc.log = strings.TrimSuffix(sc.log, "]}\n") + frame + "\n"
		}),
		"never settled":          unsettled,
		"never settled, from 24": withEnv(unsettled, node24),
		"circular": failsNode("exports.handler = async () => { const a = []; a.push(a); return a }", "Error",
			unserializable),
		"circular, callback": failsNode("exports.handler = (e, c, done) => { const a = []; a.push(a); done(null, a) }",
			"Error", unserializable),
		"function": failsNode("exports.handler = async () => () => 1", "Error", unserializable),
		"BigInt, from 24": withEnv(failsNode("exports.handler = async () => 1n", "Runtime.JSONStringifyError",
			unserializable), node24),
		"exit": with(onceNode("exports.handler = async () => process.exit(3)", `1`, ""), func(sc *scenario) {
			sc.want, sc.ended, sc.exit = nil, true, sandbox.Exit{Code: 3}
		}),
		"goes on after an error": with(failsNode("let n = 0; exports.handler = async () => { if (n++ === 0) throw new Error('bad'); return n }",
			"Error", "bad"), func(sc *scenario) {
			sc.invocations = append(sc.invocations, invocation{Event: "1"})
			sc.want = append(sc.want, post{"invocation/id-2/response", "", jsonType, "2"})
		}),
		"throws after its answer": onceNode("exports.handler = (event, context) => { context.succeed(1); throw new Error('bad') }", `1`, `1`),
		"event that is no JSON":   failsNode("JSON.parse = () => { throw new SyntaxError('bad') }; exports.handler = async () => 1", "SyntaxError", "bad"),
		"response refused": {
			files: map[string]string{"index.js": "exports.handler = async () => 1"}, handler: "index.handler",
			invocations: []invocation{{Event: "1"}, {Event: "1"}}, refuse: []int{413, 500},
			want: []post{{response, "", jsonType, "1"}, {"invocation/id-2/response", "", jsonType, "1"}},
			log: "LAMBDA_RUNTIME Failed to post invocation/id-1/response. Http response code: 413. {\"status\":\"OK\"}\n" +
				"LAMBDA_RUNTIME Failed to post invocation/id-2/response. Http response code: 500. {\"status\":\"OK\"}\n",
			ended: true, exit: sandbox.Exit{Code: 1},
		},
	})
}

func TestNodeUnhandled(t *testing.T) {
	const reason = `"reason":{"errorType":"Error","errorMessage":"bad","stack":["Error: bad"]}`
	rejected := func(code string) scenario {
		return diesNode(failsNode(code, "Runtime.UnhandledPromiseRejection", "Error: bad", reason, `"promise":{}`),
			"Unhandled Promise Rejection", 128)
	}
	answered := func(sc scenario) scenario { // the error comes after the answer
		return with(sc, func(sc *scenario) { sc.want = []post{{response, "", jsonType, "1"}} })
	}
	runNode(t, map[string]scenario{
		"rejection":       rejected("exports.handler = () => { Promise.reject(new Error('bad')); return new Promise(() => setInterval(() => {}, 1000)) }"),
		"rejection and 1": answered(rejected("exports.handler = async () => { Promise.reject(new Error('bad')); return 1 }")),
		"rejection, from 24": withEnv(rejected("exports.handler = async () => { Promise.reject(new Error('bad')); return 1 }"),
			node24),
		"rejection of text": diesNode(failsNode("exports.handler = () => { Promise.reject('bad') }",
			"Runtime.UnhandledPromiseRejection", "bad",
			`"reason":"bad"`, `"promise":{}`), "Unhandled Promise Rejection", 128),
		"exception": diesNode(failsNode("exports.handler = () => { setTimeout(() => { throw new Error('bad') }, 1) }", "Error",
			"bad"),
			"Uncaught Exception", 129),
		"exception beside a promise": diesNode(failsNode("exports.handler = async () => { setTimeout(() => { throw new Error('bad') }, 1); "+
			"await new Promise(() => {}) }", "Error", "bad"), "Uncaught Exception", 129),
	})
}

func TestNodeInitErrors(t *testing.T) {
	init := func(sc scenario, title string, code int) scenario {
		return with(diesNode(sc, title, code), func(sc *scenario) {
			sc.invocations, sc.want[0].Path = nil, initFail
			sc.log = strings.Replace(sc.log, "\tid-1\t", "\tundefined\t", 1)
		})
	}
	fails := func(code, kind, message string) scenario {
		return init(failsNode(code, kind, message), "Uncaught Exception", 129)
	}
	named := func(handler, kind, message string) scenario { // without code
		return withEnv(inFiles(fails("", kind, message), handler, nil), noFrames)
	}
	runNode(t, map[string]scenario{
		"no module": named("index.handler", "Runtime.ImportModuleError",
			"Error: Cannot find module 'index'\nRequire stack:\n- /var/runtime/bootstrap.mjs"),
		"no required module": withEnv(fails("require('nothing')", "Runtime.ImportModuleError",
			"Error: Cannot find module 'nothing'\nRequire stack:\n- /var/task/index.js\n- /var/runtime/bootstrap.mjs"), noFrames),
		"no handler":  fails("exports.other = 1", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
		"no function": fails("exports.handler = {}", "Runtime.HandlerNotFound", "index.handler is not a function"),
		"no dot":      named("index", "Runtime.MalformedHandlerName", "Bad handler"),
		"parent": named("../index.handler", "Runtime.MalformedHandlerName",
			"'../index.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names."),
		"exception": fails("throw new RangeError('bad')", "RangeError", "bad"),
		"rejection": init(failsNode("Promise.reject('bad'); exports.handler = async () => 1",
			"Runtime.UnhandledPromiseRejection", "bad", `"reason":"bad"`, `"promise":{}`), "Unhandled Promise Rejection", 128),
		"streams what": fails("exports.handler = Object.assign(async () => {}, { [Symbol.for('aws.lambda.runtime.handler.streaming')]: 'request' })",
			"Runtime.MalformedStreamingHandler", "Only response streaming is supported."),
		"callback from 24": withEnv(fails("exports.handler = (event, context, callback) => callback()",
			"Runtime.CallbackHandlerDeprecated",
			"ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function "+
				"to use a supported handler signature to use Node.js 24 or later. For more information see "+
				"https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html."), node24),
	})
}

func TestNodeLogs(t *testing.T) {
	log := func(code, log string, env ...string) scenario {
		return with(withEnv(onceNode(code, `1`, `null`), env...), func(sc *scenario) { sc.log = log })
	}
	const all = "exports.handler = async () => { for (const f of ['trace', 'debug', 'log', 'info', 'warn', 'error', 'fatal']) console[f]('x') }"
	const asJSON = "AWS_LAMBDA_LOG_FORMAT=JSON"
	line := func(level, rest string) string {
		return fmt.Sprintf(`{"timestamp":"TIME","level":%q,"requestId":"id-1",%s}`+"\n", level, rest)
	}
	long, err := json.Marshal(strings.Repeat("x", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	runNode(t, map[string]scenario{
		"levels": log(all,
			"TIME\tid-1\tTRACE\tx\nTIME\tid-1\tDEBUG\tx\nTIME\tid-1\tINFO\tx\nTIME\tid-1\tINFO\tx\nTIME\tid-1\tWARN\tx\n"+
				"TIME\tid-1\tERROR\tx\nTIME\tid-1\tFATAL\tx\n"),
		"from a level": log(all, "TIME\tid-1\tERROR\tx\nTIME\tid-1\tFATAL\tx\n", "AWS_LAMBDA_LOG_LEVEL=ERROR"),
		"FATAL":        log(all, "TIME\tid-1\tFATAL\tx\n", "AWS_LAMBDA_LOG_LEVEL=fatal"),
		"before":       log("console.log('x'); exports.handler = async () => {}", "TIME\tundefined\tINFO\tx\n"),
		"format": log("exports.handler = async () => console.log('%s is %d', 'a', 1, {b: 2})",
			"TIME\tid-1\tINFO\ta is 1 { b: 2 }\n"),
		"line ends": log(`exports.handler = async () => console.log("a\nb\r\nc\n\n")`, "TIME\tid-1\tINFO\ta\rb\rc\n"),
		"nothing":   log("exports.handler = async () => console.log()", "TIME\tid-1\tINFO\tundefined\n"),
		"raw": log(`exports.handler = async () => { process.stdout.write("a\n"); process.stderr.write("b\n") }`,
			"a\nb\n"),
		"long, then end": with(log("exports.handler = async () => { process.stdout.write(''); console.log('x'.repeat(1 << 20)); process.exit(0) }", "TIME\tid-1\tINFO\t"+strings.Trim(string(long), `"`)+"\n"), func(sc *scenario) { sc.want, sc.ended = nil, true }),
		"JSON":           log(`exports.handler = async () => console.log("a\nb")`, line("INFO", `"message":"a\nb"`), asJSON),
		"JSON object":    log("exports.handler = async () => console.warn({a: 1})", line("WARN", `"message":{"a":1}`), asJSON),
		"JSON format":    log("exports.handler = async () => console.log('a', 1)", line("INFO", `"message":"a 1"`), asJSON),
		"JSON circular": log("exports.handler = async () => { const a = {}; a.a = a; console.log(a) }", line("INFO",
			`"message":"<ref *1> { a: [Circular *1] }"`), asJSON),
		"JSON error": log("Error.stackTraceLimit = 0; exports.handler = async () => console.error(new TypeError('bad'))",
			line("ERROR", `"message":{"errorType":"TypeError","errorMessage":"bad","stackTrace":["TypeError: bad"]}`), asJSON),
		"JSON text and error": log("Error.stackTraceLimit = 0; exports.handler = async () => console.error('a', new TypeError('bad'))",
			line("ERROR",
				`"message":"a [TypeError: bad]","errorType":"TypeError","errorMessage":"bad","stackTrace":["TypeError: bad"]`), asJSON),
		"JSON, of a failure": with(withEnv(failsNode("exports.handler = async () => { throw new TypeError('bad') }",
			"TypeError", "bad"), asJSON), func(sc *scenario) {
			sc.log = line("ERROR", `"message":{"errorType":"TypeError","errorMessage":"bad","stackTrace":["TypeError: bad"]}`)
		}),
		"JSON tenant": with(log("exports.handler = async () => console.log('x')",
			`{"timestamp":"TIME","level":"INFO","requestId":"id-1","tenantId":"blue","message":"x"}`+"\n", asJSON), func(sc *scenario) {
			sc.invocations[0].Header = map[string]string{"Lambda-Runtime-Aws-Tenant-Id": "blue"}
		}),
	})
}

// TestNodeSyntaxError compares words of V8. Only the trace of a CommonJS file begins with file and line.
func TestNodeSyntaxError(t *testing.T) {
	const message = "SyntaxError: Unexpected token '}'"
	for file, where := range map[string]string{"index.js": `"/var/task/index.js:1","}","^","",`, "index.mjs": ""} {
		t.Run(file, func(t *testing.T) {
			const fields = `{"errorType":"Runtime.UserCodeSyntaxError","errorMessage":"` + message + `",`
			trace := fmt.Sprintf(`[%s"%s"]}`, where, message)
			run(t, "nodejs20.x", scenario{files: map[string]string{file: "}"}, handler: "index.handler", env: []string{noFrames},
				want:  []post{{initFail, "Runtime.UserCodeSyntaxError", jsonType, fields + `"trace":` + trace}},
				log:   "TIME\tundefined\tERROR\tUncaught Exception \t" + fields + `"stack":` + trace + "\n",
				ended: true, exit: sandbox.Exit{Code: 129}})
		})
	}
}
