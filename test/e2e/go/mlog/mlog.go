// Package mlog replaces monis.app/mlog, which the public module proxy does not serve. It has
// the names that the Secrets Store CSI driver calls and nothing else, written on klog.
package mlog

import (
	"context"
	"fmt"

	"k8s.io/klog/v2"
)

// LogFormat names an output format. Both print klog's text here: nothing in the tests reads JSON.
type LogFormat string

const (
	FormatText LogFormat = "text"
	FormatJSON LogFormat = "json"
)

// Setup returns what the caller defers to flush the log.
func Setup() func() { return klog.Flush }

// ValidateAndSetKlogLevelAndFormatGlobally sets klog's verbosity and refuses an unknown format.
func ValidateAndSetKlogLevelAndFormatGlobally(_ context.Context, level klog.Level, format LogFormat) error {
	if format != FormatText && format != FormatJSON {
		return fmt.Errorf("log format %q is neither %q nor %q", format, FormatText, FormatJSON)
	}
	return level.Set(level.String())
}

// Error logs an error with its key-value pairs, at the caller's line.
func Error(msg string, err error, keysAndValues ...any) {
	klog.ErrorSDepth(1, err, msg, keysAndValues...)
}

// Fatal logs the error and ends the process with status 1.
func Fatal(err error, keysAndValues ...any) {
	klog.ErrorSDepth(1, err, "fatal error", keysAndValues...)
	klog.FlushAndExit(klog.ExitFlushTimeout, 1)
}
