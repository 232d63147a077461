package platform

import (
	"encoding/json"
	"strings"
	"time"
)

// Level of a line of a JSON log. A log that shows one shows all above it.
type Level int8

// The levels, in order.
const (
	Trace Level = iota
	Debug
	Info
	Warn
	Severe // ERROR
	Fatal
)

// levels are the names in API_LoggingConfig, and those that Python's logging has for them.
var levels = map[string]Level{"TRACE": Trace, "DEBUG": Debug, "INFO": Info, "WARN": Warn, "WARNING": Warn, "ERROR": Severe,
	"FATAL": Fatal, "CRITICAL": Fatal}

// LevelOf finds a level by its name, in any case; for any other name it is Info.
func LevelOf(name string) Level {
	if l, ok := levels[strings.ToUpper(name)]; ok {
		return l
	}
	return Info
}

// LineLevel is the level of what a function printed: that of a JSON object with a level and a time, and Info of all else
// (monitoring-cloudwatchlogs-log-level.html).
func LineLevel(line string) Level {
	if !strings.HasPrefix(line, "{") {
		return Info
	}
	var object struct {
		Level     string `json:"level"`
		Timestamp string `json:"timestamp"`
		Time      string `json:"time"`
		At        string `json:"@timestamp"`
	}
	if err := json.Unmarshal([]byte(line), &object); err != nil {
		return Info
	}
	for _, at := range []string{object.Timestamp, object.Time, object.At} {
		if _, err := time.Parse(time.RFC3339Nano, at); err == nil {
			return LevelOf(object.Level)
		}
	}
	return Info
}

// beginning is the level of the begin of a phase, which tells of the runtime's version if that is known.
func beginning(version string) Level {
	if version == "" {
		return Debug
	}
	return Info
}

// failing is the level of an event with a status.
func failing(status string, otherwise Level) Level {
	if status != Success {
		return Warn
	}
	return otherwise
}
