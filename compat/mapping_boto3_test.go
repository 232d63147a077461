package compat

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mappingScript makes a function that reports failures, maps a queue to it with a filter, and prints what the function tells another queue.
const mappingScript = `import boto3, io, json, os, sys, time, zipfile
def client(name): return boto3.client(name, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
sqs, functions, name, role = client("sqs"), client("lambda"), sys.argv[1], sys.argv[2]
def queue(name, **attributes):
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
(source, arn), (to, _) = queue(name + "-from", VisibilityTimeout="300"), queue(name + "-to")
code = io.BytesIO()
with zipfile.ZipFile(code, "w") as z:
    entry = zipfile.ZipInfo("code.py")
    entry.external_attr = 0o644 << 16 # functions read their code as another user
    z.writestr(entry, '''import boto3, json, os
sqs = boto3.client("sqs")
def handler(event, context):
    failures = []
    for r in event["Records"]:
        kind = json.loads(r["body"])["kind"]
        sqs.send_message(QueueUrl=os.environ["TO"], MessageBody=kind)
        if kind == "bad":
            failures.append({"itemIdentifier": r["messageId"]})
    return {"batchItemFailures": failures}
''')
functions.create_function(FunctionName=name, Runtime="python3.11", Handler="code.handler", Role=role, Timeout=60, MemorySize=512,
    Code={"ZipFile": code.getvalue()}, Environment={"Variables": {"TO": to}})
functions.get_waiter("function_active_v2").wait(FunctionName=name)
made = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=10,
    FunctionResponseTypes=["ReportBatchItemFailures"], FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"kind": ["good", "bad"]}})}]})
sqs.send_message_batch(QueueUrl=source, Entries=[{"Id": k, "MessageBody": json.dumps({"kind": k})} for k in ["good", "bad", "other"]])
told, end = [], time.time() + 90
while len(told) < 2 and time.time() < end:
    for m in sqs.receive_message(QueueUrl=to, WaitTimeSeconds=5, MaxNumberOfMessages=10).get("Messages", []):
        told.append(m["Body"])
        sqs.delete_message(QueueUrl=to, ReceiptHandle=m["ReceiptHandle"])
def left():
    a = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["All"])["Attributes"]
    return int(a["ApproximateNumberOfMessages"]) + int(a["ApproximateNumberOfMessagesNotVisible"])
while left() > 1 and time.time() < end:
    time.sleep(0.2)
shown = {"LastProcessingResult": "No records processed"} # the result is written after the batch has ended
while shown["LastProcessingResult"] != "OK" and time.time() < end:
    shown = functions.get_event_source_mapping(UUID=made["UUID"])
    time.sleep(0.2)
print(json.dumps([sorted(told), left(), shown["State"], shown["LastProcessingResult"]]))
`

// TestMappingBoto3: boto3 maps a queue to a function: what no filter matches is deleted, what the function reports stays, and the metrics count
// each message once.
func TestMappingBoto3(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	r := l.newRole(t, trustLambda, allow("sqs:*", "*"))
	out, err := l.command(t, l.root, "/usr/bin/python3", "-c", mappingScript, unique("mapped"), r.arn)
	if want := `[["bad", "good"], 1, "Enabled", "OK"]`; err != nil || strings.TrimSpace(out) != want {
		t.Fatalf("got %s, %v, want %s", out, err, want)
	}
	want := []string{
		`licet_mapping_events_total{outcome="deleted"} 2`, `licet_mapping_events_total{outcome="failed_invoke"} 1`,
		`licet_mapping_events_total{outcome="filtered_out"} 1`, `licet_mapping_events_total{outcome="invoked"} 2`,
		`licet_mapping_events_total{outcome="polled"} 3`, `licet_mapping_invocations_total{result="failed"} 0`,
		`licet_mapping_pollers 1`, `licet_mapping_running_invocations 0`,
	}
	var got []string
	eventually(t, func() bool {
		got = nil
		for line := range strings.Lines(l.page(t, "/_licet/metrics")) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "licet_mapping_") && !strings.Contains(line, `"ok"`) && !strings.Contains(line, `"refused"`) &&
				!strings.Contains(line, `"throttled"`) {
				got = append(got, line)
			}
		}
		return cmp.Equal(got, want)
	})
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("metrics: -got +want:\n%s", diff)
	}
}
