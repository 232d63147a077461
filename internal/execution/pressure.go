package execution

import (
	"slices"
	"time"
)

const (
	// pressurePeriod is how often Config.Pressed is asked.
	pressurePeriod = time.Second
	// reliefShare of the idle environments are given up at a time: memory that becomes free shows only later.
	reliefShare = 8
)

// relieve gives up the environments that have been idle the longest, and when there are none, those that are no function's. It takes none
// that runs or is provisioned.
func (m *Manager) relieve() {
	m.mu.Lock()
	defer m.mu.Unlock()
	var idle []*environment
	for _, p := range m.pools {
		idle = append(idle, p.idle...)
	}
	if len(idle) == 0 {
		m.generics.reclaim(time.Now(), true)
		return
	}
	slices.SortFunc(idle, func(a, b *environment) int { return a.idleSince.Compare(b.idleSince) })
	for _, e := range idle[:(len(idle)+reliefShare-1)/reliefShare] {
		m.removeIdle(e)
	}
}
