/** The JSON Patch that adds what is missing. */
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { MOST_BYTES } from "../../src/domain/injection/plan.ts";
import type { ContainerList } from "../../src/domain/injection/pod.ts";
import { CSI_DRIVER } from "../../src/domain/injection/settings.ts";
import { choose, of, text, type Variable } from "./cel.ts";
import { containersOf, LISTS, missingMounts, missingSources } from "./pod.ts";

const add = (path: string, value: string): string => `JSONPatch{op: "add", path: ${path}, value: ${value}}`;

const pointer = (...parts: readonly string[]): string =>
  text(parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""));

const NONE = `[JSONPatch{op: "add", path: ""}].filter(none, false)`;

const volumeWith = (reference: string): string =>
  `Object.spec.volumes{name: ${of("volumeNames")}[index], csi: Object.spec.volumes.csi{driver: ${text(CSI_DRIVER)}, readOnly: true, volumeAttributes: {"secretProviderClass": ${of("classes")}[index]}${reference}}}`;

const REFERENCE = `, nodePublishSecretRef: Object.spec.volumes.csi.nodePublishSecretRef{name: ${of("references")}[index]}`;

const VOLUMES = [
  `(has(object.spec.volumes) || ${of("missingVolumes")}.size() == 0 ? ${NONE} : [${add(pointer("spec", "volumes"), "[]")}])`,
  `${of("missingVolumes")}.map(index, ${of("references")}[index] == "" ? ${add(pointer("spec", "volumes", "-"), volumeWith(""))} : ${add(pointer("spec", "volumes", "-"), volumeWith(REFERENCE))})`,
].join(" + ");

interface Entries {
  readonly list: ContainerList;
  readonly field: string;
  readonly missing: string;
  /** Of one that is missing, called `each`. */
  readonly value: string;
}

function entriesIn({ list, field, missing, value }: Entries): string {
  const path = `${text(`/spec/${list}/`)} + string(at) + ${text(`/${field}`)}`;
  const emptyList = `(has(${containersOf(list)}[at].${field}) ? ${NONE} : [${add(path, "[]")}])`;
  const each = `${missing}[at].map(each, ${add(`${path} + "/-"`, value)})`;
  return `lists.range(${containersOf(list)}.size()).filter(at, ${missing}[at].size() > 0).map(at, ${emptyList} + ${each}).flatten()`;
}

const ENTRIES = LISTS.flatMap((list) => [
  entriesIn({
    list,
    field: "volumeMounts",
    missing: missingMounts(list),
    value: `Object.spec.${list}.volumeMounts{name: ${of("chosenVolumes")}[each], mountPath: ${of("mountPaths")}[each], readOnly: true}`,
  }),
  entriesIn({
    list,
    field: "envFrom",
    missing: missingSources(list),
    value: `Object.spec.${list}.envFrom{secretRef: Object.spec.${list}.envFrom.secretRef{name: each}}`,
  }),
]).join(" + ");

const LABEL = [
  `(has(object.metadata.labels) ? ${NONE} : [${add(pointer("metadata", "labels"), "{}")}])`,
  `[${add(pointer("metadata", "labels", INJECTED_LABEL), `"true"`)}]`,
].join(" + ");

const STATUS_KEY = POD_ANNOTATIONS.status;
const names = (list: string): string => `${list}.map(name, "\\"" + name + "\\"").join(",")`;

/** As the webhook writes it, and left out likewise where there is no room. */
export function statusVariables(version: string): readonly Variable[] {
  return [
    {
      name: "status",
      expression: `${text(`{"version":${JSON.stringify(version)},"classes":[`)} + ${names(of("classes"))} + "],\\"volumes\\":[" + ${names(of("chosenVolumes"))} + "]}"`,
    },
    {
      name: "room",
      expression: `${MOST_BYTES - STATUS_KEY.length} - object.metadata.annotations.map(key, key == ${text(STATUS_KEY)} ? 0 : bytes(key).size() + bytes(object.metadata.annotations[key]).size()).sum()`,
    },
  ];
}

const statusPatch = (value: string): string => `[${add(pointer("metadata", "annotations", STATUS_KEY), value)}]`;

const STATUS = choose(
  [
    [`${of("status")}.size() <= ${of("room")}`, statusPatch(of("status"))],
    [`${text(STATUS_KEY)} in object.metadata.annotations && 2 <= ${of("room")}`, statusPatch(`"{}"`)],
  ],
  NONE,
);

export const MUTATION = `${of("isComplete")} || ${of("problem")} != "" ? ${NONE} : ${[VOLUMES, ENTRIES, LABEL, STATUS].join(" + ")}`;
