/** The components `monitoring` and `metrics-service` as the chart's data: alerts and dashboard are full of braces that Helm would take for its own. */
import type { Objects } from "./sources.ts";

export function monitoringFile(objects: Objects): string {
  return `${JSON.stringify([...objects.values()], null, 2)}\n`;
}
