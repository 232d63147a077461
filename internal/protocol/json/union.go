package json

import (
	"fmt"
	"reflect"

	smithy "github.com/aws/smithy-go"
)

// variant is a member of a union: a struct type of the SDK whose one field, Value, is the member's value.
type variant struct {
	name  string
	typ   reflect.Type
	codec codec
}

// union is for the SDK's union interfaces, which are JSON objects with one member.
func (s *Shapes) union(t reflect.Type, m *smithy.Schema) (codec, error) {
	byName, byType := map[string]*variant{}, map[reflect.Type]*variant{}
	for _, member := range m.Members() {
		typ, err := s.variant(t, member)
		if err != nil {
			return codec{}, err
		}
		c, err := s.codec(typ.Field(0).Type, member)
		if err != nil {
			return codec{}, fmt.Errorf("union %v: %w", t, err)
		}
		v := &variant{jsonName(member), typ, c}
		byName[v.name], byType[reflect.PointerTo(typ)] = v, v
	}
	return codec{
		read: func(l *lexer, v reflect.Value) error { return readUnion(l, v, byName) },
		write: func(b []byte, v reflect.Value) ([]byte, error) {
			u := byType[v.Elem().Type()]
			if u == nil {
				return b, fmt.Errorf("%v is no member of union %v", v.Elem().Type(), t)
			}
			b = append(append(b, '{'), jsonKey(u.name)...)
			b, err := u.codec.write(b, v.Elem().Elem().Field(0))
			return append(b, '}'), err
		},
	}, nil
}

// variant finds the type that stands for a member of the union t: the SDK calls it by the names of both.
func (s *Shapes) variant(t reflect.Type, member *smithy.Schema) (reflect.Type, error) {
	name := t.Name() + "Member" + exported(member.MemberName())
	for _, typ := range s.unions {
		if typ.Name() == name && reflect.PointerTo(typ).Implements(t) {
			return typ, nil
		}
	}
	return nil, fmt.Errorf("no type for member %s of union %v", member.MemberName(), t)
}

func readUnion(l *lexer, v reflect.Value, byName map[string]*variant) error {
	err := l.object(func(key []byte) error {
		u := byName[string(key)]
		switch {
		case l.null():
			return nil
		case u == nil:
			return l.skip()
		case !v.IsNil():
			return &typeError{"A union takes one member only."}
		}
		member := reflect.New(u.typ)
		v.Set(member)
		return u.codec.read(l, member.Elem().Field(0))
	})
	if err == nil && v.IsNil() {
		return &typeError{"A union takes one member."}
	}
	return err
}
