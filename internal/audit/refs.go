package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// maxTexts bounds what is remembered about policy texts.
const maxTexts = 4096

// text is a policy text that a record refers to.
type text struct {
	hash   string
	day    string // of use
	source []byte
}

// texts remembers the hashes of documents, and on which day a text was last stored: the warm path hashes and writes none. Safe for
// concurrent use.
type texts struct {
	mu     sync.Mutex
	hashes map[*policy.Document]string
	days   map[string]string // by hash
}

func newTexts() *texts {
	return &texts{hashes: make(map[*policy.Document]string), days: make(map[string]string)}
}

// hash is the hexadecimal SHA-256 of a document's text.
func (t *texts) hash(d *policy.Document) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, ok := t.hashes[d]
	if !ok {
		sum := sha256.Sum256(d.Source)
		h = hex.EncodeToString(sum[:])
		putBounded(t.hashes, d, h)
	}
	return h
}

// isStored tells whether the text is in the store with the day of its use.
func (t *texts) isStored(x text) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.days[x.hash] >= x.day
}

// stored notes that texts are in the store.
func (t *texts) stored(list []text) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range list {
		if t.days[x.hash] < x.day {
			putBounded(t.days, x.hash, x.day)
		}
	}
}

// putBounded sets a key, in the place of any other if the map is full.
func putBounded[K comparable, V any](m map[K]V, key K, value V) {
	if len(m) >= maxTexts {
		for other := range m {
			delete(m, other)
			break
		}
	}
	m[key] = value
}

// refs makes the references of a PolicySet and collects the texts they name.
type refs struct {
	known *texts
	used  []text
}

// refs replaces the documents of p by references, and gives their texts, each as often as it is used.
func (l *Log) refs(p authz.Policies) (PolicySet, []text) {
	r := &refs{known: l.texts}
	set := PolicySet{
		Identity: r.list(p.Identity), Boundary: r.one(p.Boundary),
		Session: r.list(p.Session), HasSession: p.Session != nil,
		Resource: r.one(p.Resource), Trust: p.Trust,
		SCPs: r.levels(p.SCPs), HasSCPs: p.SCPs != nil,
		RCPs: r.levels(p.RCPs), HasRCPs: p.RCPs != nil,
		VPCEndpoint: r.one(p.VPCEndpoint),
	}
	return set, r.used
}

func (r *refs) ref(p authz.Policy) PolicyRef {
	ref := PolicyRef{ARN: p.ARN, Name: p.Name}
	if p.Document != nil {
		ref.Hash = r.known.hash(p.Document)
		r.used = append(r.used, text{hash: ref.Hash, source: p.Document.Source})
	}
	return ref
}

func (r *refs) one(p *authz.Policy) *PolicyRef {
	if p == nil {
		return nil
	}
	ref := r.ref(*p)
	return &ref
}

func (r *refs) list(ps []authz.Policy) []PolicyRef {
	var list []PolicyRef
	for _, p := range ps {
		list = append(list, r.ref(p))
	}
	return list
}

func (r *refs) levels(ps [][]authz.Policy) [][]PolicyRef {
	var levels [][]PolicyRef
	for _, p := range ps {
		levels = append(levels, r.list(p))
	}
	return levels
}
