package upstream

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
)

// Input is a request as far as it was read.
type Input struct {
	form      form
	operation string
	request   *protocol.Request
	// body is what is passed on.
	body []byte
	// members are those of the input by their names on the wire: text, json.Number, bool, nil, lists, and maps of these.
	members map[string]any
	// whole tells that members are all that the request says; otherwise it has a body that was not read.
	whole bool
}

// maxDecompressed bounds what a compressed body is read as. Those of PutMetricData, which alone AWS's clients compress, may have 1 MB.
const maxDecompressed = 16 << 20

// plainBody takes the compression away that clients may have put on a body.
func plainBody(r *protocol.Request) ([]byte, error) {
	switch encoding := r.HTTP.Header.Values("Content-Encoding"); {
	case len(encoding) == 0, len(encoding) == 1 && (encoding[0] == "" || strings.EqualFold(encoding[0], "identity")):
		return r.Body, nil
	case len(encoding) > 1 || !strings.EqualFold(encoding[0], "gzip"):
		return nil, unreadable("the Content-Encoding %s is not supported", strings.Join(encoding, ", "))
	}
	zr, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		return nil, unreadable("%v", err)
	}
	body, err := io.ReadAll(io.LimitReader(zr, maxDecompressed+1))
	switch {
	case err != nil:
		return nil, unreadable("%v", err)
	case len(body) > maxDecompressed:
		return nil, unreadable("the body is larger than %d bytes", maxDecompressed)
	}
	return body, nil
}

// unreadable refuses what cannot be judged, because it cannot be read or can be read in two ways.
func unreadable(format string, args ...any) error {
	return awserr.New("SerializationException", http.StatusBadRequest, format, args...)
}

// readJSON reads an object. A name that is there twice is refused: which of the two counts, readers do not agree upon. Those of the
// outermost object must differ in more than case.
func readJSON(body []byte) (map[string]any, error) {
	if !utf8.Valid(body) {
		return nil, unreadable("the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, unreadable("there is more than one value in the body")
	}
	members, ok := v.(map[string]any)
	if !ok {
		return nil, unreadable("the body is not an object")
	}
	return members, nil
}

// maxDepth is how deep values may be in each other. DynamoDB's may have 32 levels, each of two objects.
const maxDepth = 128

func readValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, unreadable("%v", err)
	}
	if depth > maxDepth {
		return nil, unreadable("values are in each other more than %d deep", maxDepth)
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, wrapped(err)
	case json.Delim('{'):
		return readObject(d, depth)
	}
	return t, nil
}

func readObject(d *json.Decoder, depth int) (map[string]any, error) {
	object, folded := map[string]any{}, map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, unreadable("%v", err)
		}
		name, _ := t.(string)
		seen := name
		if depth == 0 {
			seen = strings.ToLower(name)
		}
		if folded[seen] {
			return nil, unreadable("%q is there twice", name)
		}
		folded[seen] = true
		if object[name], err = readValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, wrapped(err)
}

func wrapped(err error) error {
	if err != nil {
		return unreadable("%v", err)
	}
	return nil
}

// readForm reads the parameters of the query protocols, of body and URL. One that is there twice is refused.
func readForm(r *protocol.Request, body []byte) (url.Values, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, unreadable("%v", err)
	}
	query, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return nil, unreadable("%v", err)
	}
	folded := map[string]bool{}
	for _, from := range []url.Values{values, query} {
		for name, texts := range from {
			if strings.HasPrefix(name, "X-Amz-") {
				continue // of the signature
			}
			if key := strings.ToLower(name); folded[key] || len(texts) > 1 {
				return nil, unreadable("the parameter %q is there twice", name)
			} else {
				folded[key] = true
			}
			values[name] = texts
		}
	}
	return values, nil
}

// maxMaps bounds what the names of parameters are made into: each part of a name may be a map. A thousand metrics with thirty dimensions each, the
// most that PutMetricData takes, are some 35,000
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html).
const maxMaps = 1 << 17

// treeOf makes members of parameters: "Tags.member.1.Key", or "Tag.1.Key" as EC2 has it, is a list of maps.
func treeOf(values url.Values) (map[string]any, error) {
	root, maps := map[string]any{}, 0
	for name, texts := range values {
		parts := strings.Split(name, ".")
		if len(parts) > maxDepth {
			return nil, unreadable("the name of a parameter has too many parts")
		}
		node := root
		for _, part := range parts[:len(parts)-1] {
			child, ok := node[part].(map[string]any)
			if !ok {
				if _, taken := node[part]; taken {
					return nil, unreadable("the parameter %q is a value and has parts", name)
				}
				if maps++; maps > maxMaps {
					return nil, unreadable("the names of parameters have too many parts")
				}
				child = map[string]any{}
				node[part] = child
			}
			node = child
		}
		last := parts[len(parts)-1]
		if _, taken := node[last]; taken {
			return nil, unreadable("the parameter %q is a value and has parts", name)
		}
		node[last] = texts[0]
	}
	for name, v := range root {
		root[name] = listed(v)
	}
	return root, nil
}

// listed makes lists of maps whose keys are numbers.
func listed(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for name, child := range m {
		m[name] = listed(child)
	}
	if inner, ok := m["member"]; ok && len(m) == 1 {
		return inner
	}
	indexes := make([]int, 0, len(m))
	for name := range m {
		i, err := strconv.Atoi(name)
		if err != nil || i < 1 || strconv.Itoa(i) != name {
			return m
		}
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	list := make([]any, len(indexes))
	for n, i := range indexes {
		list[n] = m[strconv.Itoa(i)]
	}
	return list
}

// readCBOR reads a map of Smithy RPC, and gives it back encoded anew, each name once
// (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html).
func readCBOR(body []byte) (map[string]any, []byte, error) {
	if len(body) == 0 {
		return map[string]any{}, nil, nil
	}
	v, err := cbor.Decode(body)
	if err != nil {
		return nil, nil, unreadable("%v", err)
	}
	members, ok := plainCBOR(v).(map[string]any)
	if !ok {
		return nil, nil, unreadable("the body is not a map")
	}
	return members, cbor.Encode(v), nil
}

func plainCBOR(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		m := make(map[string]any, len(v))
		for name, child := range v {
			m[name] = plainCBOR(child)
		}
		return m
	case cbor.List:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = plainCBOR(child)
		}
		return list
	case cbor.String:
		return string(v)
	case cbor.Bool:
		return bool(v)
	case cbor.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10))
	case *cbor.Nil, *cbor.Undefined:
		return nil
	}
	return fmt.Sprint(v) // numbers of other kinds and bytes: nothing is named by them
}

// text gives a member that is a text; "" for none.
func (in *Input) text(name string) string {
	text, _ := in.members[name].(string)
	return text
}

// texts gives a member that is a list of texts, without what is none.
func (in *Input) texts(name string) []string { return textsOf(in.members[name]) }

func textsOf(v any) []string {
	list, _ := v.([]any)
	var texts []string
	for _, v := range list {
		if text, ok := v.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// maps gives a member that is a list of maps, without what is none.
func (in *Input) maps(name string) []map[string]any {
	list, _ := in.members[name].([]any)
	var maps []map[string]any
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			maps = append(maps, m)
		}
	}
	return maps
}
