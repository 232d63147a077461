package execution

import "time"

// An invocation is over when the runtime, which has answered, asks for its next event. Nobody waits for that: whoever serves the runtime's
// question ends the invocation. It is resumed in a goroutine of its own when something else comes first: the time limit, the end of the
// process, that of the manager, a fence. Until then it belongs to the session.

// leave gives the invocation, whose runtime has answered, to the one who ends it.
func (i *invocation) leave() {
	e, s := i.environment, i.process.session
	if s.extensions.Any() { // which end it, too
		e.m.background.Go(i.rest)
		return
	}
	e.expiry.Reset(time.Until(i.began.Add(i.function.Timeout)))
	fenced := e.fenced // which is the next owner's when the invocation is left
	if !s.leave(i) {
		i.rest()
		return
	}
	select {
	case <-s.ended: // perhaps before it was left
		e.resume(s)
	case <-e.m.lifetime.Done():
		e.resume(s)
	case <-fenced:
		e.resume(s)
	default:
	}
}

// resume takes up what is left of an invocation, if anything is.
func (e *environment) resume(s *session) {
	if i := s.take(); i != nil {
		e.m.background.Go(i.rest)
	}
}

// rest waits for the end of the invocation.
func (i *invocation) rest() {
	i.settle()
	i.finish()
}

// end is rest for an invocation whose runtime has just asked for its next event. It returns that event if another invocation waits for
// the environment; nil: none does.
func (i *invocation) end() *event {
	i.tellRuntimeEnd()
	if i.broken != nil {
		i.finish()
		return nil
	}
	i.report()
	return i.m.pass(i.environment)
}

// leave keeps an invocation until the runtime asks for its next event; false when it has already.
func (s *session) leave(i *invocation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == ready || s.state == running {
		return false
	}
	s.left = i
	return true
}

// take gives the invocation that was left; nil when there is none any more.
func (s *session) take() *invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.left
	s.left = nil
	return i
}
