/**
 * Writes the components `monitoring` and `metrics-service` as a data file of the chart, because alerts and the dashboard contain braces
 * that Helm would parse as templates.
 */
import type { Objects } from "./sources.ts";

export function monitoringFile(objects: Objects): string {
  return `${JSON.stringify([...objects.values()], null, 2)}\n`;
}
