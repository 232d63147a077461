package protocoltest

import (
	"reflect"
	"time"
)

// Fill sets every member of a struct of the SDK, in the way of the SDK's own vectors: strings to "__Name__", lists to two elements,
// maps to one. Unions stay nil, and so does what is nested more than eight levels deep.
func Fill(v reflect.Value) { fill(v, "", 0) }

func fill(v reflect.Value, name string, depth int) {
	if depth > 8 || !v.CanSet() {
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_500_000_000, 0).UTC()))
		return
	case []byte:
		v.SetBytes([]byte("blob"))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "ResultMetadata" {
				fill(v.Field(i), f.Name, depth+1)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), "Member", depth+1)
		fill(v.Index(1), "Member", depth+1)
	case reflect.Map:
		e := reflect.New(v.Type().Elem()).Elem()
		fill(e, "Value", depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key0").Convert(v.Type().Key()), e)
	case reflect.String:
		v.SetString("__" + name + "__")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1)
	}
}
