import { rotatedIn } from "../../../domain/sync/rotated-condition.ts";
import type { ClassStatus } from "../../../domain/sync/status-fields.ts";
import { restartAdvice, restartStanding } from "../../shared/restarts.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";

/** Reports the restarts of workloads that use the class and request restarts; returns nothing if there are none. */
export function checkClassRestarts(status: ClassStatus | undefined): readonly ClassFinding[] {
  const rotated = rotatedIn(status);
  if (rotated === undefined) return [];
  const said = `${rotated.reason}: ${rotated.message}`;
  const advice = restartAdvice(rotated);
  const fix = `${advice.charAt(0).toUpperCase()}${advice.slice(1)}.`;
  switch (restartStanding(rotated)) {
    case "done":
      return [fineLeaf("restarts-ok", rotated.message)];
    case "waiting":
      return [fineLeaf("restarts-waiting", said)];
    case "held":
      return [found("restarts-held", said, fix)];
    case "halted":
      return [found("restarts-halted", said, fix)];
    case "unknown":
      return [found("restarts-unknown", said, fix)];
  }
}
