/** Determines whether a pod runs on Windows, like the webhook. */

import { DRIVE } from "../../src/domain/injection/mount-path.ts";
import { BUILD_LABEL, OS_LABELS, SKU_LABEL } from "../../src/domain/injection/operating-system.ts";
import { bind, choose, first, firstOf, list, of, regex, text, type Variable } from "./cel.ts";

/** `windows`, `linux` or an empty text, by the key and value of a label. */
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

/** Sorted, because the API server sorts labels too. */
const KEYS = [...OS_LABELS, SKU_LABEL, BUILD_LABEL].sort();

const BY_SELECTOR = `${list(KEYS)}.filter(key, key in object.spec.?nodeSelector.orValue({})).map(key, ${systemByLabel("key", "object.spec.nodeSelector[key]")}).filter(system, system != "")`;

/** The policy ignores an expression with more values, and further terms and expressions, because a pod may have thousands. */
const MOST = 16;

const VALUES = "expression.?values.orValue([])";

/** The system that all values of an expression mean. Empty if they differ. */
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
