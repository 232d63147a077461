package json

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"time"

	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding"
	"github.com/aws/smithy-go/traits"
)

// codec makes the codec of the values of type t, which the schema member m describes.
func (s *Shapes) codec(t reflect.Type, m *smithy.Schema) (codec, error) {
	switch {
	case m == nil:
		return codec{}, errors.New("no schema")
	case t == reflect.TypeFor[time.Time]():
		return timestamp(m)
	case t == reflect.TypeFor[[]byte]():
		return blob(), nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.pointer(t, m)
	case reflect.Struct:
		return s.structure(t, m)
	case reflect.Slice:
		return s.list(t, m)
	case reflect.Map:
		return s.mapping(t, m)
	case reflect.Interface:
		if m.Type() == smithy.ShapeTypeUnion {
			return s.union(t, m)
		}
	case reflect.String:
		return text(), nil
	case reflect.Bool:
		return boolean(), nil
	case reflect.Int32, reflect.Int64:
		return integer(t.Bits()), nil
	case reflect.Float32, reflect.Float64:
		return float(t.Bits()), nil
	}
	return codec{}, fmt.Errorf("type %v is not supported", t)
}

func (s *Shapes) pointer(t reflect.Type, m *smithy.Schema) (codec, error) {
	e, err := s.codec(t.Elem(), m)
	c := codec{
		read: func(l *lexer, v reflect.Value) error {
			v.Set(reflect.New(t.Elem()))
			return e.read(l, v.Elem())
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) { return e.write(b, v.Elem()) },
	}
	if t == reflect.TypeFor[*string]() { // most members are
		c.write = func(b []byte, v reflect.Value) ([]byte, error) { return appendText(b, *v.Interface().(*string)), nil }
	}
	return c, err
}

func (s *Shapes) structure(t reflect.Type, m *smithy.Schema) (codec, error) {
	st, err := s.nested(t, m)
	return codec{
		read:  func(l *lexer, v reflect.Value) error { return st.read(l, v) },
		write: func(b []byte, v reflect.Value) ([]byte, error) { return st.Append(b, v) },
	}, err
}

func (s *Shapes) list(t reflect.Type, m *smithy.Schema) (codec, error) {
	c, err := s.codec(t.Elem(), m.ListMember())
	return codec{
		read: func(l *lexer, v reflect.Value) error {
			v.Set(reflect.MakeSlice(t, 0, 0))
			return l.array(func() error {
				v.Grow(1)
				v.SetLen(v.Len() + 1)
				e := v.Index(v.Len() - 1)
				e.SetZero()
				return c.read(l, e)
			})
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) {
			b = append(b, '[')
			for i := range v.Len() {
				var err error
				if b, err = c.write(separate(b), v.Index(i)); err != nil {
					return b, err
				}
			}
			return append(b, ']'), nil
		},
	}, err
}

// mapping is for maps with string keys, written in the order of their keys.
func (s *Shapes) mapping(t reflect.Type, m *smithy.Schema) (codec, error) {
	e, err := s.codec(t.Elem(), m.MapValue())
	c := codec{
		read: func(l *lexer, v reflect.Value) error {
			v.Set(reflect.MakeMap(t))
			return l.object(func(key []byte) error {
				k := reflect.ValueOf(string(key)).Convert(t.Key())
				if l.null() {
					return nil
				}
				value := reflect.New(t.Elem()).Elem()
				if err := e.read(l, value); err != nil {
					return err
				}
				v.SetMapIndex(k, value)
				return nil
			})
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) {
			keys := v.MapKeys()
			sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
			b = append(b, '{')
			for _, k := range keys {
				var err error
				b = append(appendText(separate(b), k.String()), ':')
				if b, err = e.write(b, v.MapIndex(k)); err != nil {
					return b, err
				}
			}
			return append(b, '}'), nil
		},
	}
	if t == reflect.TypeFor[map[string]string]() { // most maps are
		c.write = func(b []byte, v reflect.Value) ([]byte, error) {
			return appendTexts(b, v.Interface().(map[string]string)), nil
		}
	}
	return c, err
}

// appendTexts appends a map of texts as an object.
func appendTexts(b []byte, m map[string]string) []byte {
	var few [16]string
	keys := slices.AppendSeq(few[:0], maps.Keys(m))
	slices.Sort(keys)
	b = append(b, '{')
	for _, k := range keys {
		b = append(appendText(separate(b), k), ':')
		b = appendText(b, m[k])
	}
	return append(b, '}')
}

func text() codec {
	return codec{
		read: func(l *lexer, v reflect.Value) error {
			b, err := l.text()
			v.SetString(string(b))
			return err
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) { return appendText(b, v.String()), nil },
	}
}

func boolean() codec {
	return codec{
		read: func(l *lexer, v reflect.Value) error {
			b, err := l.boolean()
			v.SetBool(b)
			return err
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(b, v.Bool()), nil },
	}
}

func integer(bits int) codec {
	kind := "an Integer"
	if bits == 64 {
		kind = "a Long"
	}
	return codec{
		read: func(l *lexer, v reflect.Value) error {
			s, err := l.number(kind)
			if err != nil {
				return err
			}
			n, err := strconv.ParseInt(s, 10, bits)
			if err != nil {
				return &typeError{"NUMBER_VALUE can not be converted to " + kind}
			}
			v.SetInt(n)
			return nil
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendInt(b, v.Int(), 10), nil },
	}
}

// float is for numbers, and for the strings that stand for what JSON cannot say:
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#non-numeric-float-and-double-serialization
func float(bits int) codec {
	return codec{
		read: func(l *lexer, v reflect.Value) error {
			f, err := readFloat(l, bits)
			v.SetFloat(f)
			return err
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) {
			switch f := v.Float(); {
			case math.IsNaN(f):
				return append(b, `"NaN"`...), nil
			case math.IsInf(f, 1):
				return append(b, `"Infinity"`...), nil
			case math.IsInf(f, -1):
				return append(b, `"-Infinity"`...), nil
			default:
				return encoding.EncodeFloat(b, f, bits), nil
			}
		},
	}
}

func readFloat(l *lexer, bits int) (float64, error) {
	if l.peek() == '"' {
		b, err := l.text()
		switch {
		case err != nil:
			return 0, err
		case string(b) == "NaN":
			return math.NaN(), nil
		case string(b) == "Infinity":
			return math.Inf(1), nil
		case string(b) == "-Infinity":
			return math.Inf(-1), nil
		}
		return 0, &typeError{"STRING_VALUE can not be converted to a Double"}
	}
	s, err := l.number("a Double")
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil {
		return 0, &typeError{"NUMBER_VALUE can not be converted to a Double"}
	}
	return f, nil
}

func blob() codec {
	return codec{
		read: func(l *lexer, v reflect.Value) error {
			b, err := l.text()
			if err != nil {
				return err
			}
			out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
			n, err := base64.StdEncoding.Decode(out, b)
			if err != nil {
				return &typeError{"STRING_VALUE can not be converted to a Blob"}
			}
			v.SetBytes(out[:n])
			return nil
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) {
			if v.IsNil() { // in a list or a map
				return append(b, "null"...), nil
			}
			b = base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes())
			return append(b, '"'), nil
		},
	}
}

// timestamp is seconds since 1970, to the millisecond, unless the model says otherwise:
// https://smithy.io/2.0/spec/protocol-traits.html#timestampformat-trait
func timestamp(m *smithy.Schema) (codec, error) {
	if f, ok := smithy.SchemaTrait[*traits.TimestampFormat](m); ok && f.Format != "epoch-seconds" {
		return codec{}, fmt.Errorf("timestamp format %s is not supported", f.Format)
	}
	return codec{
		read: func(l *lexer, v reflect.Value) error {
			f, err := readFloat(l, 64)
			if err != nil {
				return err
			}
			const year9999 = 253402300800
			if math.IsNaN(f) || math.Abs(f) >= year9999 {
				return &typeError{"NUMBER_VALUE can not be converted to a Timestamp"}
			}
			v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(f * 1e3))).UTC()))
			return nil
		},
		write: func(b []byte, v reflect.Value) ([]byte, error) {
			return encoding.EncodeFloat(b, float64(v.Interface().(time.Time).UnixMilli())/1e3, 64), nil
		},
	}, nil
}
