package upstream

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/licet/licet/internal/service"
)

// The permissions of DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/api-permissions-reference.html, of
// transactions transaction-apis-iam.html, of PartiQL ql-iam.html, and of its condition keys specifying-conditions.html.

func (q *question) dynamodb() ([]service.Need, bool) {
	switch q.in.operation {
	case "BatchGetItem", "BatchWriteItem":
		return q.requestItems(), true
	case "TransactGetItems", "TransactWriteItems":
		return q.transactItems(), true
	case "ExecuteStatement":
		return q.partiQL("", q.in.text("Statement")), true
	case "BatchExecuteStatement", "ExecuteTransaction":
		var needs []service.Need
		for _, name := range []string{"Statements", "TransactStatements"} {
			for _, s := range q.in.maps(name) {
				text, _ := s["Statement"].(string)
				needs = append(needs, q.partiQL(q.in.operation, text)...)
			}
		}
		return needs, true
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan":
		index := ""
		if q.isOne("Query", "Scan") {
			index = q.in.text("IndexName")
		}
		n := q.about("dynamodb:"+q.in.operation, q.table(q.in.text("TableName"), index))
		without(&n, "dynamodb:EnclosingOperation", "dynamodb:FullTableScan")
		switch {
		case q.isOne("Scan"): // which has no key: "the Scan operation returns all items regardless of the leading keys"
			without(&n, "dynamodb:LeadingKeys")
		case q.isOne("GetItem", "UpdateItem", "DeleteItem"):
			leadingKeys(&n, keyOf(q.in.members))
		case q.isOne("Query") && index == "": // an index has another key than its table
			leadingKeys(&n, queried(q.in.members))
		}
		return []service.Need{n}, true
	}
	return nil, false
}

// table is a table or an index of it, by name or ARN.
func (q *question) table(name, index string) resource {
	r := q.named("table/", name)
	if index != "" && r.arn != "*" {
		r.arn += "/index/" + index
	}
	return r
}

// leadingKeys sets dynamodb:LeadingKeys where the values of partition keys are known.
func leadingKeys(n *service.Need, values []string) {
	if values != nil {
		slices.Sort(values)
		setList(n, "dynamodb:LeadingKeys", slices.Compact(values)...)
	}
}

// keyOf gives the value of the partition key of a request for one item; nil when it cannot be told from a sort key.
func keyOf(members map[string]any) []string {
	key, _ := members["Key"].(map[string]any)
	return single(key)
}

// queried is keyOf for a Query. There is an older form of the condition; a request with both is left to DynamoDB.
func queried(members map[string]any) []string {
	conditions, older := members["KeyConditions"].(map[string]any)
	expression, _ := members["KeyConditionExpression"].(string)
	if older && (expression != "" || len(conditions) != 1) {
		return nil
	}
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if list, _ := condition["AttributeValueList"].([]any); len(list) == 1 {
			return scalar(list[0])
		}
		return nil
	}
	if m := oneCondition.FindStringSubmatch(expression); m != nil {
		values, _ := members["ExpressionAttributeValues"].(map[string]any)
		return scalar(values[m[1]])
	}
	return nil
}

// oneCondition is a KeyConditionExpression without a sort key.
var oneCondition = regexp.MustCompile(`^\s*[#\w.-]+\s*=\s*(:\w+)\s*$`)

// single gives the value of a key that has one attribute.
func single(key map[string]any) []string {
	if len(key) != 1 {
		return nil
	}
	for _, v := range key {
		return scalar(v)
	}
	return nil
}

// scalar gives a text, number or binary of DynamoDB: {"S": "a"}.
func scalar(v any) []string {
	m, _ := v.(map[string]any)
	if len(m) != 1 {
		return nil
	}
	for _, kind := range []string{"S", "N", "B"} {
		if text, ok := m[kind].(string); ok {
			return []string{text}
		}
	}
	return nil
}

// requestItems are the needs of a batch: one for each table.
func (q *question) requestItems() []service.Need {
	tables, _ := q.in.members["RequestItems"].(map[string]any)
	var needs []service.Need
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		n := q.about("dynamodb:"+q.in.operation, q.table(name, ""))
		leadingKeys(&n, batchKeys(tables[name]))
		needs = append(needs, n)
	}
	return needs
}

// batchKeys gives the partition keys of a table's part of a batch, if all are known.
func batchKeys(v any) []string {
	var keys []any
	switch v := v.(type) {
	case map[string]any: // BatchGetItem
		keys, _ = v["Keys"].([]any)
	case []any: // BatchWriteItem
		for _, r := range v {
			request, _ := r.(map[string]any)
			remove, ok := request["DeleteRequest"].(map[string]any)
			if !ok || len(request) != 1 {
				return nil
			}
			keys = append(keys, remove["Key"])
		}
	}
	var values []string
	for _, k := range keys {
		key, _ := k.(map[string]any)
		value := single(key)
		if value == nil {
			return nil
		}
		values = append(values, value...)
	}
	return values
}

// transactItems are the needs of a transaction: those of its single operations.
func (q *question) transactItems() []service.Need {
	actions := map[string]string{
		"Get": "dynamodb:GetItem", "Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem",
		"ConditionCheck": "dynamodb:ConditionCheckItem",
	}
	var needs []service.Need
	for _, item := range q.in.maps("TransactItems") {
		for _, kind := range slices.Sorted(maps.Keys(item)) {
			part, _ := item[kind].(map[string]any)
			name, _ := part["TableName"].(string)
			action, ok := actions[kind]
			if !ok {
				action = "dynamodb:" + kind // AWS has no such action, so that it is denied
			}
			n := q.about(action, q.table(name, ""))
			set(&n, "dynamodb:EnclosingOperation", q.in.operation)
			if kind != "Put" {
				leadingKeys(&n, keyOf(part))
			}
			needs = append(needs, n)
		}
	}
	return needs
}

// statement is a statement of PartiQL: what it does, its table, and an index.
var statement = regexp.MustCompile(`(?is)^\s*(?:(SELECT)\s.*?\sFROM|(INSERT)\s+INTO|(UPDATE)|(DELETE)\s+FROM)\s+` +
	`(?:"([^"]+)"|([a-z0-9_.-]+?))(?:\.(?:"([^"]+)"|([a-z0-9_.-]+)))?(?:\s+(?:WHERE|SET|REMOVE|VALUE|ORDER|RETURNING|ON)\b.*)?;?\s*$`)

// partiQL are the needs of a statement. One that names tables in more than one place is not understood: then it may be any, on any.
func (q *question) partiQL(enclosing, text string) []service.Need {
	actions := []string{"dynamodb:PartiQLSelect", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"}
	on := resource{arn: q.here("table/*"), partly: true}
	if m := statement.FindStringSubmatch(text); m != nil && isSimple(text) {
		for i, action := range actions {
			if m[i+1] != "" {
				actions = []string{action}
				break
			}
		}
		on = q.table(m[5]+m[6], m[7]+m[8])
	}
	var needs []service.Need
	for _, action := range actions {
		n := q.about(action, on)
		if enclosing != "" {
			set(&n, "dynamodb:EnclosingOperation", enclosing)
		} else {
			without(&n, "dynamodb:EnclosingOperation")
		}
		needs = append(needs, n)
	}
	return needs
}

// isSimple tells that a statement has one FROM at most, in whatever text, and no comments.
func isSimple(text string) bool {
	return strings.Count(strings.ToUpper(text), "FROM") <= 1 && !strings.Contains(text, "--") && !strings.Contains(text, "/*")
}
