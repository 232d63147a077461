package audit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
	"github.com/licet/licet/policy"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func parse(t testing.TB, text string) *policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// broken is a store that fails, or whose commits do, when it is told to.
type broken struct {
	store.DB
	mu  sync.Mutex
	err error
}

func (b *broken) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// Update runs fn twice, as a store may.
func (b *broken) Update(ctx context.Context, fn func(store.Tx) error) error {
	b.mu.Lock()
	err := b.err
	b.mu.Unlock()
	if err != nil {
		return err
	}
	again := errors.New("again")
	if err := b.DB.Update(ctx, func(tx store.Tx) error { return errors.Join(fn(tx), again) }); err != nil {
		var only interface{ Unwrap() []error }
		if errors.As(err, &only) && len(only.Unwrap()) > 1 {
			return only.Unwrap()[0]
		}
	}
	return b.DB.Update(ctx, fn)
}

func record(id string, at time.Duration) *Record {
	return &Record{
		RequestID: id, Time: start.Add(at), Account: "111111111111", Region: "us-east-1", Service: "lambda", Operation: "Invoke",
		Mode: "enforce", Allowed: true,
	}
}

// madeAt is the nth request id, made some time after start.
func madeAt(at time.Duration, n int) string {
	ms := fmt.Sprintf("%012x", start.Add(at).UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012d", ms[:8], ms[8:], n)
}

func begin(t *testing.T, l *Log, rec *Record) context.Context {
	t.Helper()
	ctx, err := l.Begin(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// stored lists the keys of the store under prefix.
func stored(t *testing.T, db store.DB, prefix string) (list []string) {
	t.Helper()
	if err := db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(prefix, "", 0)
		for _, i := range items {
			list = append(list, strings.TrimPrefix(i.Key, prefix))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

// fullRecord has a value in every part.
func fullRecord(t *testing.T) *Record {
	var keys authz.Context
	keys.Set("aws:SourceIp", "192.0.2.1")
	keys.SetList("aws:TagKeys", "a", "b")
	keys.SetList("aws:Empty")
	one := authz.Policy{ARN: "arn:aws:iam::aws:policy/A", Name: "A", Document: parse(t, allowAll)}
	two := authz.Policy{Name: "two", Document: parse(t, strings.ReplaceAll(allowAll, `"*"`, `["s3:*"]`))}
	rec := record("11111111-2222-3333-4444-555555555555", 0)
	rec.Caller = principal.Caller{
		Principal: authz.Principal{Kind: authz.AssumedRole, Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/r/s",
			IssuerARN: "arn:aws:iam::111111111111:role/p/r", ID: "AROAX", SessionName: "s"},
		AccessKeyID: "ASIAX", UserName: "u", Tags: principal.NewTags(map[string]string{"team": "x"}),
		Session: &principal.Session{RoleARN: "arn:aws:iam::111111111111:role/p/r", Name: "s", IssuedAt: start},
	}
	rec.SourceIP = netip.MustParseAddr("192.0.2.1").String()
	rec.UserAgent = "aws-cli/2 \"quoted\""
	rec.Allowed = false
	rec.Exempt = "why"
	rec.Failure = &Failure{Code: "Code", Message: "message", Detail: "detail"}
	rec.Decisions = []Decision{
		{
			Request: authz.Request{
				Principal: rec.Caller.Principal, Action: "lambda:InvokeFunction", Resource: "*", Named: "function x", ResourceAccount: "222222222222",
				Context: keys,
			},
			Applied: authz.Policies{
				Identity: []authz.Policy{one, two, one}, Boundary: &two, Session: []authz.Policy{two}, Resource: &one, Trust: true,
				SCPs: [][]authz.Policy{{one}, {two, one}}, RCPs: [][]authz.Policy{{one}}, VPCEndpoint: &two,
			},
			Allowed: false, By: authz.SessionPolicy,
		},
		{
			Request: authz.Request{Principal: authz.Principal{Kind: authz.Service, ARN: "x.amazonaws.com"}, Action: "iam:PassRole", Resource: "arn:aws:iam::111111111111:role/r"},
			Applied: authz.Policies{Session: []authz.Policy{}, SCPs: [][]authz.Policy{}, RCPs: [][]authz.Policy{{}}},
			Allowed: true, Note: "account root",
		},
	}
	return rec
}

var contexts = cmp.Comparer(func(a, b authz.Context) bool {
	list := func(c authz.Context) map[string]authz.Value {
		m := map[string]authz.Value{}
		for k, v := range c.All {
			m[k] = v
		}
		return m
	}
	return cmp.Equal(list(a), list(b), cmpopts.EquateEmpty())
})

func TestRoundTrip(t *testing.T) {
	db := storetest.New(t)
	l := New(db, Options{})
	want := fullRecord(t)
	begin(t, l, want)
	for _, reader := range []*Log{l, New(db, Options{})} { // the second as after a restart
		got, err := reader.Get(t.Context(), want.RequestID)
		if err != nil {
			t.Fatal(err)
		}
		ignore := cmpopts.IgnoreFields(Decision{}, "Policies", "Applied")
		if diff := cmp.Diff(*want, got, contexts, ignore); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
		for i, d := range got.Decisions {
			policies, err := reader.Policies(t.Context(), d.Policies)
			if err != nil {
				t.Fatal(err)
			}
			was := want.Decisions[i].Applied
			if (policies.Session == nil) != (was.Session == nil) || (policies.SCPs == nil) != (was.SCPs == nil) ||
				(policies.RCPs == nil) != (was.RCPs == nil) {
				t.Errorf("decision %d: given and empty was taken for not given", i)
			}
			if diff := cmp.Diff(was, policies, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("policies of decision %d (-want +got):\n%s", i, diff)
			}
		}
	}
	if got := stored(t, db, policyPrefix); len(got) != 2 {
		t.Errorf("%d policy texts are stored, want 2", len(got))
	}
}

func TestGetUnknown(t *testing.T) {
	l := New(storetest.New(t), Options{})
	if _, err := l.Get(t.Context(), "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if _, err := l.Policies(t.Context(), PolicySet{Boundary: &PolicyRef{Name: "x", Hash: "0"}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("Policies = %v, want ErrNotFound", err)
	}
}

func TestRecorded(t *testing.T) {
	db := &broken{DB: storetest.New(t)}
	l := New(db, Options{})
	services := l.Recorded()
	put := func(ctx context.Context, key string) error {
		return services.Update(ctx, func(tx store.Tx) error { return tx.Put(key, nil) })
	}
	if err := put(t.Context(), "x/none"); !errors.Is(err, ErrNoDecision) {
		t.Errorf("a change without a decision: %v, want ErrNoDecision", err)
	}
	if err := put(System(t.Context(), ""), "x/none"); !errors.Is(err, ErrNoDecision) {
		t.Errorf("a change without a reason: %v, want ErrNoDecision", err)
	}
	if err := put(System(t.Context(), "test"), "x/system"); err != nil {
		t.Error(err)
	}
	ctx := begin(t, l, fullRecord(t))
	refused := errors.New("refused")
	if err := services.Update(ctx, func(store.Tx) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("Update = %v, want the error of fn", err)
	}
	if got := stored(t, db, recordPrefix); got != nil {
		t.Errorf("stored with a change that failed: %q", got)
	}
	for _, key := range []string{"x/1", "x/2"} {
		if err := put(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"111111111111/2026-03-04T05:06:07.000000089Z-11111111-2222-3333-4444-555555555555-0000000000000002"}
	if diff := cmp.Diff(want, stored(t, db, recordPrefix)); diff != "" {
		t.Errorf("records after a change (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1", "2", "system"}, stored(t, db, "x/")); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if got := stored(t, db, policyPrefix); len(got) != 2 {
		t.Errorf("%d policy texts are stored with the change, want 2", len(got))
	}
	// A call that is made inside another has its own record.
	inner, err := l.Begin(ctx, record("inner", 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := put(inner, "x/3"); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, db, idPrefix); len(got) != 2 {
		t.Errorf("%d records, want 2", len(got))
	}
}

// counted counts the changes of keys under a prefix.
func counted(t *testing.T, db store.DB, prefix string) *int {
	n := new(int)
	t.Cleanup(db.Watch(func(changed []string) {
		for _, k := range changed {
			if strings.HasPrefix(k, prefix) {
				*n++
			}
		}
	}))
	return n
}

func TestTextsAreStoredOnceADay(t *testing.T) {
	db := storetest.New(t)
	l := New(db, Options{})
	writes := counted(t, db, policyPrefix)
	p := authz.Policies{Identity: []authz.Policy{{Name: "x", Document: parse(t, allowAll)}}}
	for i, want := range []int{1, 1, 1, 2, 2} {
		rec := record(fmt.Sprint(i), time.Duration(i)*8*time.Hour)
		rec.Decisions = []Decision{{Applied: p}}
		ctx := begin(t, l, rec)
		if i%2 == 0 {
			if err := l.Recorded().Update(ctx, func(store.Tx) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Get(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		if *writes != want {
			t.Errorf("%d writes of the text after record %d, want %d", *writes, i, want)
		}
	}
}

func TestFullBufferRefuses(t *testing.T) {
	db := &broken{DB: storetest.New(t)}
	l := New(db, Options{Buffer: 3})
	down := errors.New("disk is gone")
	db.fail(down)
	for i := range 3 {
		begin(t, l, record(fmt.Sprint(i), 0))
	}
	for range 2 {
		if _, err := l.Begin(t.Context(), record("refused", 0)); !errors.Is(err, down) {
			t.Errorf("Begin with a full buffer = %v, want the store's error", err)
		}
	}
	if _, err := l.Get(t.Context(), "0"); !errors.Is(err, down) {
		t.Errorf("Get = %v, want the store's error", err)
	}
	db.fail(nil)
	begin(t, l, record("3", 0))
	if got := len(stored(t, db, idPrefix)); got != 3 {
		t.Errorf("%d records are stored once the store is back, want 3", got)
	}
	if _, err := l.Get(t.Context(), "refused"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get of a refused call = %v, want ErrNotFound", err)
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &broken{DB: storetest.New(t)}
		l := New(db, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		begin(t, l, record("a", 0))
		db.fail(errors.New("for a while"))
		time.Sleep(5 * time.Second)
		db.fail(nil)
		time.Sleep(2 * time.Second)
		if got := stored(t, db, idPrefix); len(got) != 1 {
			t.Errorf("stored %q after two seconds, want one record", got)
		}
		begin(t, l, record("b", 0))
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		if got := stored(t, db, idPrefix); len(got) != 2 {
			t.Errorf("stored %q after the end, want two records", got)
		}
	})
}

// slowToRead is a store whose views wait until they are let go.
type slowToRead struct {
	store.DB
	wait func()
}

func (s slowToRead) View(ctx context.Context, fn func(store.Reader) error) error {
	s.wait()
	return s.DB.View(ctx, fn)
}

// Deleting what is old reads all that there is. Records of reads and invocations are written within a second meanwhile, too.
func TestRunWritesWhileItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waiting, letGo := make(chan struct{}), make(chan struct{})
		db := slowToRead{storetest.New(t), sync.OnceFunc(func() {
			close(waiting)
			<-letGo
		})}
		l := New(db, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		<-waiting
		begin(t, l, record("a", 0))
		time.Sleep(flushInterval + time.Millisecond) // of the bubble
		synctest.Wait()
		if got := stored(t, db.DB, recordPrefix); len(got) != 1 {
			t.Errorf("stored %v, want one record", got)
		}
		close(letGo)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestList(t *testing.T) {
	l := New(storetest.New(t), Options{})
	const n = 2*chunk + 10
	for i := range n {
		rec := record(madeAt(time.Duration(i)*time.Second, i), time.Duration(i)*time.Second)
		rec.Allowed = i%100 != 0
		rec.Decisions = []Decision{{Allowed: i%10 != 0}} // observe mode and the like: a need may be denied in a call that is not
		begin(t, l, rec)
	}
	other := record("other", 0)
	other.Account = "1111111111110"
	begin(t, l, other)
	for _, test := range []struct {
		name    string
		account string
		filter  Filter
		want    string
	}{
		{"default limit", "111111111111", Filter{}, "521 520 519 … 422 (100)"},
		{"limit", "111111111111", Filter{Limit: 300}, "521 520 519 … 222 (300)"},
		{"all", "111111111111", Filter{Limit: 9999}, "521 520 519 …  (522)"},
		{"since", "111111111111", Filter{Since: start.Add(519 * time.Second)}, "521 520 519 (3)"},
		{"since just after", "111111111111", Filter{Since: start.Add(519*time.Second + 1)}, "521 520 (2)"},
		{"denied", "111111111111", Filter{DeniedOnly: true}, "500 400 300 …  (6)"},
		{"denied since", "111111111111", Filter{DeniedOnly: true, Since: start.Add(250 * time.Second)}, "500 400 300 (3)"},
		{"other account", "1111111111110", Filter{}, "other (1)"},
		{"no account", "11111111111", Filter{}, "(0)"},
	} {
		list, err := l.List(t.Context(), test.account, test.filter)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range list {
			ids = append(ids, strings.TrimLeft(r.RequestID[max(0, len(r.RequestID)-12):], "0"))
		}
		if len(ids) > 3 {
			ids = append(ids[:3], "…", ids[len(ids)-1])
		}
		got := strings.Join(append(ids, fmt.Sprintf("(%d)", len(list))), " ")
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestExpire(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		name    string
		options Options
		now     time.Duration
		want    string // records that stay: account by account
		texts   int
	}{
		{"nothing", Options{}, 0, "a0 a1 a2 a3 b0 b1", 6},
		{"default age", Options{}, 91*day + day/2, "a2 a3", 6},
		{"age", Options{MaxAge: day}, 3*day + day/2, "a3", 6},
		{"texts", Options{MaxAge: day}, 4*day + day/2, "", 3},
		{"for ever", Options{MaxAge: -1}, 9999 * day, "a0 a1 a2 a3 b0 b1", 6},
		{"number", Options{MaxAge: -1, MaxRecords: 1}, 0, "a3 b1", 6},
		{"age and number", Options{MaxAge: 2 * day, MaxRecords: 1}, 3 * day, "a3", 6},
		{"bytes", Options{MaxAge: -1, MaxBytes: 1}, 0, "a3 b1", 6},
		{"all", Options{MaxAge: day}, 999 * day, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := &broken{DB: storetest.New(t)}
			l := New(db, test.options)
			for account, n := range map[string]int{"a": 4, "b": 2} {
				for i := range n {
					rec := record(fmt.Sprint(account, i), time.Duration(i)*day)
					rec.Account = account
					if account == "b" {
						rec.Time = start.Add(time.Duration(i) * time.Hour)
					}
					text := strings.ReplaceAll(allowAll, "s3", rec.RequestID)
					text = strings.Replace(text, `"*"`, `"`+rec.RequestID+`:*"`, 1)
					rec.Decisions = []Decision{{Applied: authz.Policies{Identity: []authz.Policy{{Document: parse(t, text)}}}}}
					begin(t, l, rec)
				}
			}
			if err := l.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := l.expire(t.Context(), start.Add(test.now)); err != nil {
				t.Fatal(err)
			}
			var got []string
			var ends []string
			for _, key := range stored(t, db, recordPrefix) {
				_, _, end, _ := splitKey(recordPrefix + key)
				ends = append(ends, end)
				got = append(got, end[:strings.LastIndexByte(end, '-')])
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("records %s, want %s", s, test.want)
			}
			if diff := cmp.Diff(ends, stored(t, db, idPrefix)); diff != "" {
				t.Errorf("index and records (-records +index):\n%s", diff)
			}
			if n := len(stored(t, db, policyPrefix)); n != test.texts {
				t.Errorf("%d policy texts, want %d", n, test.texts)
			}
			for _, id := range got { // what stays can be explained
				rec, err := l.Get(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := l.Policies(t.Context(), rec.Decisions[0].Policies); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Many calls at once, some with changes, while the buffer is written and read: no record is lost.
func TestConcurrent(t *testing.T) {
	l := New(storetest.New(t), Options{Buffer: 16})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	p := authz.Policies{Identity: []authz.Policy{{Name: "x", Document: parse(t, allowAll)}}}
	var wg sync.WaitGroup
	const callers, calls = 8, 40
	for c := range callers {
		wg.Go(func() {
			for i := range calls {
				id := madeAt(time.Duration(i)*time.Millisecond, c*calls+i)
				rec := record(id, time.Duration(i)*time.Millisecond)
				rec.Decisions = []Decision{{Applied: p}}
				ctx, err := l.Begin(t.Context(), rec)
				if err != nil {
					t.Error(err)
					return
				}
				if i%4 == 0 {
					if err := l.Recorded().Update(ctx, func(tx store.Tx) error { return tx.Put("x/"+id, nil) }); err != nil {
						t.Error(err)
					}
				}
				if i%7 == 0 {
					if _, err := l.Get(ctx, id); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	list, err := l.List(t.Context(), "111111111111", Filter{Limit: 9999})
	if err != nil || len(list) != callers*calls {
		t.Errorf("%d records, %v, want %d", len(list), err, callers*calls)
	}
}

func BenchmarkBegin(b *testing.B) {
	l := New(storetest.New(b), Options{})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	p := authz.Policies{Identity: []authz.Policy{{Name: "x", Document: parse(b, allowAll)}}}
	var keys authz.Context
	for i := range 12 {
		keys.Set(fmt.Sprint("aws:Key", i), "some value of usual length")
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		rec := record(madeAt(time.Duration(i)*100*time.Microsecond, i), time.Duration(i))
		rec.Decisions = []Decision{{Request: authz.Request{Action: "lambda:InvokeFunction", Resource: "*", Context: keys}, Applied: p}}
		if _, err := l.Begin(b.Context(), rec); err != nil {
			b.Fatal(err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// TestClosed refuses a record that nobody would write any more.
func TestClosed(t *testing.T) {
	db := storetest.New(t)
	l := New(db, Options{})
	if _, err := l.Begin(t.Context(), record("11111111-2222-3333-4444-555555555555", 0)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Begin(t.Context(), record("11111111-2222-3333-4444-555555555556", 0)); !errors.Is(err, ErrClosed) {
		t.Errorf("after the last write: got %v, want ErrClosed", err)
	}
	if _, err := New(db, Options{}).Get(t.Context(), "11111111-2222-3333-4444-555555555555"); err != nil {
		t.Errorf("the record that was waiting is lost: %v", err)
	}
}

// TestFail keeps how an operation failed, whether its record was written before or not.
func TestFail(t *testing.T) {
	for _, written := range []bool{false, true} {
		l := New(storetest.New(t), Options{})
		const id = "11111111-2222-3333-4444-555555555555"
		ctx, err := l.Begin(t.Context(), record(id, 0))
		if err != nil {
			t.Fatal(err)
		}
		if written {
			if err := l.flush(ctx); err != nil {
				t.Fatal(err)
			}
		}
		want := &Failure{Code: "MalformedPolicyDocument", Message: "Syntax errors in policy.", Detail: "line 1, column 2 (byte 1): …"}
		if err := l.Fail(ctx, *want); err != nil {
			t.Fatal(err)
		}
		got, err := l.Get(t.Context(), id)
		if diff := cmp.Diff(got.Failure, want); err != nil || diff != "" {
			t.Errorf("written %v: %v, -got +want:\n%s", written, err, diff)
		}
		if err := l.Fail(t.Context(), *want); !errors.Is(err, ErrNoDecision) {
			t.Errorf("without a record: got %v, want ErrNoDecision", err)
		}
	}
}
