/** Whether a pod runs on Windows, as the webhook tells it. */

import { DRIVE } from "../../src/domain/injection/mount-path.ts";
import { BUILD_LABEL, OS_LABELS, SKU_LABEL } from "../../src/domain/injection/operating-system.ts";
import { bind, choose, first, firstOf, list, of, regex, text, type Variable } from "./cel.ts";

/** `windows`, `linux` or nothing, by a label's key and value. */
function systemByLabel(key: string, value: string): string {
  return choose(
    [
      [`${key} in ${list(OS_LABELS)}`, `(${value} in ["windows", "linux"] ? ${value} : "")`],
      [`${key} == ${text(SKU_LABEL)}`, `(${value}.lowerAscii().startsWith("windows") ? "windows" : "linux")`],
      [`${key} == ${text(BUILD_LABEL)}`, `"windows"`],
    ],
    `""`,
  );
}

/** Sorted, as the API server sends labels. */
const KEYS = [...OS_LABELS, SKU_LABEL, BUILD_LABEL].sort();

const BY_SELECTOR = `${list(KEYS)}.filter(key, key in object.spec.?nodeSelector.orValue({})).map(key, ${systemByLabel("key", "object.spec.nodeSelector[key]")}).filter(system, system != "")`;

/** More terms, expressions and values are not looked at, and say nothing: a pod may have thousands. */
const MOST = 16;

const VALUES = "expression.?values.orValue([])";

/** Of the values of an expression: empty where they differ. */
const BY_VALUES = bind(
  "systems",
  `(${VALUES}.size() > ${MOST} ? [""] : ${VALUES}.map(value, ${systemByLabel("expression.key", "value")}).distinct())`,
  `systems.size() == 1 ? systems[0] : ""`,
);

const BY_EXPRESSION = choose(
  [
    [`expression.operator == "In"`, BY_VALUES],
    [`expression.operator == "Exists"`, `(expression.key == ${text(BUILD_LABEL)} ? "windows" : "")`],
    [
      `expression.operator == "NotIn" && expression.key in ${list(OS_LABELS)}`,
      bind("not", BY_VALUES, `not == "linux" ? "windows" : (not == "windows" ? "linux" : "")`),
    ],
  ],
  `""`,
);

const BY_TERM = first(
  `term.?matchExpressions.orValue([]).filter(each, term.matchExpressions.size() <= ${MOST}).map(expression, ${BY_EXPRESSION}).filter(system, system != "")`,
);

const TERMS = "object.spec.?affinity.?nodeAffinity.?requiredDuringSchedulingIgnoredDuringExecution.?nodeSelectorTerms.orValue([])";

const BY_AFFINITY = bind(
  "systems",
  `(${TERMS}.size() > ${MOST} ? [] : ${TERMS}).map(term, ${BY_TERM}).distinct()`,
  `systems.size() == 1 ? systems[0] : ""`,
);

const BY_CONTENT = `has(object.spec.securityContext) && has(object.spec.securityContext.windowsOptions) || ${of("all")}.exists(c, has(c.securityContext) && has(c.securityContext.windowsOptions) || has(c.workingDir) && c.workingDir.matches(${regex(DRIVE)}) || c.?volumeMounts.orValue([]).exists(m, !m.mountPath.startsWith("/") && m.mountPath.matches(${regex(DRIVE)})))`;

const OWN = "object.spec.?os.?name";

const SYSTEM = firstOf([
  `${OWN}.orValue("") in ["windows", "linux"] ? object.spec.os.name : ""`,
  `has(object.spec.nodeSelector) ? ${first(BY_SELECTOR)} : ""`,
  `has(object.spec.affinity) ? ${BY_AFFINITY} : ""`,
  `${BY_CONTENT} ? "windows" : ""`,
]);

export const SYSTEM_VARIABLE: Variable = { name: "isWindows", expression: `${SYSTEM} == "windows"` };
