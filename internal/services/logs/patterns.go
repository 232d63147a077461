package logs

import (
	"sync"

	"github.com/licet/licet/internal/services/logs/pattern"
)

// keptPatterns is how many parsed patterns are kept.
const keptPatterns = 1000

// patterns keeps the parsed patterns of filters, which every batch of events is held against. The zero value is ready.
type patterns struct {
	mu     sync.Mutex
	parsed map[string]*pattern.Pattern
}

func (p *patterns) get(text string) (*pattern.Pattern, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.parsed[text]; ok {
		return known, nil
	}
	parsed, err := pattern.Parse(text)
	if err != nil {
		return nil, err
	}
	if p.parsed == nil || len(p.parsed) >= keptPatterns {
		p.parsed = make(map[string]*pattern.Pattern)
	}
	p.parsed[text] = parsed
	return parsed, nil
}
