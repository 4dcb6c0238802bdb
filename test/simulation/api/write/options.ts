import type { ApiRequest, Write } from "../interface.ts";
import type { Kind } from "../kind.ts";
import { type Cause, invalid } from "../refusal.ts";
import type { Route } from "../route.ts";
import { forbiddenField, required } from "../validation/cause.ts";
import { dryRunCauses, fieldManagerCauses } from "../validation/metadata.ts";
import { type Environment, timestampOf, type Writing } from "./context.ts";

const OPTIONS: Readonly<Record<string, string>> = { POST: "CreateOptions", PUT: "UpdateOptions", PATCH: "PatchOptions" };
const VERBS: Readonly<Record<string, Write["verb"]>> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

export interface Addressed {
  readonly route: Route;
  readonly kind: Kind;
  readonly isKindTerminating: boolean;
}

/** Returns a write with its options. Refuses invalid options. */
export function writingOf(environment: Environment, request: ApiRequest, { route, kind, isKindTerminating }: Addressed): Writing {
  const dryRun = route.query.get("dryRun");
  const named = OPTIONS[request.method];
  if (named !== undefined) {
    const causes = optionCauses(request, route);
    if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind: named }, "", causes);
  }
  return {
    ...environment,
    request,
    route,
    kind,
    subresource: route.subresource === "status" ? "status" : "",
    collection: environment.store.collection(kind.collection),
    isDryRun: dryRun !== undefined && dryRun !== "",
    fieldManager: route.query.get("fieldManager") || productOf(request.headers["user-agent"] ?? ""),
    timestamp: timestampOf(environment.now()),
    verb: VERBS[request.method] ?? "update",
    isKindTerminating,
  };
}

function optionCauses({ method, headers }: ApiRequest, { query }: Route): readonly Cause[] {
  const manager = query.get("fieldManager") ?? "";
  const dryRun = query.get("dryRun");
  const isApply = (headers["content-type"] ?? "").startsWith("application/apply-patch");
  return [
    ...(method === "PATCH" && isApply && manager === "" ? [required("fieldManager", "is required for apply patch")] : []),
    ...(method === "PATCH" && !isApply && query.has("force") ? [forbiddenField("force", "may not be specified for non-apply patch")] : []),
    ...fieldManagerCauses(manager, "fieldManager"),
    ...dryRunCauses(dryRun === undefined ? [] : [dryRun]),
  ];
}

/** Returns the part of a user agent before the slash. */
function productOf(userAgent: string): string {
  return (userAgent.split("/")[0] ?? "").slice(0, 128);
}
