/** What the pod has of what its annotations ask for, and what stands in the way of the rest. */
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { MOST_CHARACTERS, MOST_ENTRIES } from "../../src/domain/injection/largest-addition.ts";
import { DENIALS, FIXES, PROBLEMS } from "../../src/domain/injection/messages.ts";
import { examplePath, LINK, LONGEST } from "../../src/domain/injection/mount-path.ts";
import { type ContainerList, READ_ONLY_SOURCES } from "../../src/domain/injection/pod.ts";
import { CSI_DRIVER } from "../../src/domain/injection/settings.ts";
import { LONGEST_LABEL, LONGEST_SUBDOMAIN } from "../../src/domain/kubernetes-names.ts";
import { EACH_CLASS } from "./annotations.ts";
import { bind, choose, first, message, of, type Problem, quoted, text, type Variable } from "./cel.ts";
import { invalid } from "./given.ts";
import { isPlain, isSystemPlace, placesOf, placesOfNormal } from "./paths.ts";

/** What a class's volumes are told by. */
export const classOf = (volume: string): string => `${volume}.csi.?volumeAttributes[?"secretProviderClass"].orValue("")`;
export const referenceOf = (volume: string): string => `${volume}.csi.?nodePublishSecretRef.?name.orValue("")`;
export const mountsOf = (container: string): string => `${container}.?volumeMounts.orValue([])`;
/** No source is from a Secret without a name: an item of a list that is none. */
export const isFrom = (source: string, secret: string): string =>
  `${secret} != "" && ${source}.?secretRef.?name.orValue("") == ${secret} && ${source}.?prefix.orValue("") == ""`;

export const DRIVER_VOLUMES = `object.spec.?volumes.orValue([]).filter(volume, volume.?csi.?driver.orValue("") == ${text(CSI_DRIVER)})`;

const CLASS = `${of("classes")}[index]`;

const IS_EACH = `${of("containerItems")}.size() == 0`;
const IS_SELECTED = `!(c.name in ${of("excluded")}) && (${of("included")}.size() == 0 || c.name in ${of("included")})`;

/** The API server has a null for a pod without containers. */
const containersOf: Readonly<Record<ContainerList, string>> = {
  initContainers: "object.spec.?initContainers.orValue([])",
  containers: "(object.spec.containers == null ? [] : object.spec.containers)",
};

export const ALL_CONTAINERS = `(${containersOf.initContainers} + ${containersOf.containers})`;

const LISTS: readonly ContainerList[] = ["initContainers", "containers"];

/** Kinds of volumes that have the field `readOnly`. */
const MAY_BE_READ_ONLY = [
  ..."awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume gcePersistentDisk glusterfs iscsi nfs".split(" "),
  ..."persistentVolumeClaim portworxVolume quobyte rbd scaleIO storageos".split(" "),
];

const IS_READ_ONLY_VOLUME = [
  ...READ_ONLY_SOURCES.map((source) => `has(volume.${source})`),
  ...MAY_BE_READ_ONLY.map((source) => `volume.?${source}.?readOnly.orValue(false)`),
].join(" || ");

export const CONTAINERS_VARIABLE: Variable = { name: "all", expression: ALL_CONTAINERS };

/** Lists of the selected containers' order, and of the classes'. */
export const POD_VARIABLES: readonly Variable[] = [
  { name: "selected", expression: `${IS_EACH} ? ${of("all")} : ${of("all")}.filter(c, ${IS_SELECTED})` },
  { name: "driverVolumes", expression: DRIVER_VOLUMES },
  // By class: the names of the pod's own volumes that are as one of ours would be.
  {
    name: "equalVolumes",
    expression: `${of("classes")}.transformList(index, class, ${of("driverVolumes")}.map(volume, ${classOf("volume")} == class && (${referenceOf("volume")} == ${of("references")}[index] || ${of("isDefaultReference")}[index] && ${referenceOf("volume")} == ""), volume.name))`,
  },
  {
    name: "chosenVolumes",
    expression: `${of("equalVolumes")}.transformList(index, equal, equal.size() == 0 || ${of("volumeNames")}[index] in equal ? ${of("volumeNames")}[index] : equal[0])`,
  },
  { name: "missingVolumes", expression: `${EACH_CLASS}.filter(index, ${of("equalVolumes")}[index].size() == 0)` },
  {
    name: "missingMounts",
    expression: `${of("selected")}.map(c, ${EACH_CLASS}.filter(index, !${mountsOf("c")}.exists(mount, mount.name == ${of("chosenVolumes")}[index] || mount.name in ${of("equalVolumes")}[index])))`,
  },
  {
    name: "missingSources",
    expression: `${of("selected")}.map(c, ${of("secrets")}.filter(secret, !c.?envFrom.orValue([]).exists(source, ${isFrom("source", "secret")})))`,
  },
  // Where each selected container is in the pod, as JSON Patch names it.
  {
    name: "pointers",
    expression: LISTS.map(
      (list) => `${containersOf[list]}.transformList(at, c, ${IS_EACH} || ${IS_SELECTED}, ${text(`/spec/${list}/`)} + string(at))`,
    ).join(" + "),
  },
];

const IS_WHOLE = [
  `${of("missingVolumes")}.size() == 0`,
  `${of("missingMounts")}.all(missing, missing.size() == 0)`,
  `${of("missingSources")}.all(missing, missing.size() == 0)`,
].join(" && ");

/** It comes injected. What is wrong with its annotations is wrong all the same. */
const IS_COMPLETE = `object.metadata.?labels[?${text(INJECTED_LABEL)}].orValue("") == "true" && ${IS_WHOLE}`;

const PATH = `${of("mountPaths")}[index]`;
const PLACES = `${of("mountPlaces")}[index]`;

/** `""`, or the message for the first index that has one. */
const firstOfClasses = (condition: string, said: string): string => first(`${EACH_CLASS}.filter(index, ${condition}).map(index, ${said})`);

const OTHER = `${EACH_CLASS}.filter(other, other != index && ${PLACES}.exists(place, ${of("mountPlaces")}[other].exists(parent, place.startsWith(parent))))`;
const SAME_NAME = `${EACH_CLASS}.filter(other, other != index && ${of("volumeNames")}[other] == ${of("volumeNames")}[index])`;

export const CLASH_PROBLEM: Problem = choose(
  [
    [
      `${of("mountPlaces")}.exists(places, ${isSystemPlace("places")})`,
      firstOfClasses(
        isSystemPlace(PLACES),
        invalid(
          "mountPath",
          message(PROBLEMS.pathSystem, {
            path: quoted(PATH),
            example: `(${of("isWindows")} ? ${text(examplePath("windows"))} : ${text(examplePath("linux"))})`,
          }),
        ),
      ),
    ],
    [`${of("classes")}.size() == 1`, `""`],
    [
      `${of("volumeNames")}.distinct().size() != ${of("volumeNames")}.size()`,
      firstOfClasses(
        `${SAME_NAME}.size() > 0`,
        invalid(
          "volumeName",
          message(PROBLEMS.sameVolumeName, {
            other: `${of("classes")}[${SAME_NAME}[0]]`,
            class: CLASS,
            name: quoted(`${of("volumeNames")}[index]`),
          }),
        ),
      ),
    ],
  ],
  firstOfClasses(
    `${OTHER}.size() > 0`,
    invalid("mountPath", message(PROBLEMS.pathInClass, { class: CLASS, path: quoted(PATH), other: `${of("classes")}[${OTHER}[0]]` })),
  ),
);

export const PLACE_VARIABLES: readonly Variable[] = [
  {
    name: "readOnlyVolumes",
    expression: `object.spec.?volumes.orValue([]).map(volume, ${IS_READ_ONLY_VOLUME}, volume.name)`,
  },
  { name: "mountPlaces", expression: `${of("mountPaths")}.map(path, ${placesOfNormal("path")})` },
  // Below the link in both of its spellings, so that those of the containers' own mounts do not matter. Without the slash at the end.
  {
    name: "nearPlaces",
    expression: `${of("mountPlaces")}.flatten().map(place, place.startsWith("${LINK.to}/") ? ["${LINK.from}" + place.substring(${LINK.to.length}), place] : [place]).flatten().map(place, place.substring(0, place.size() - 1))`,
  },
];

const sizesOf = (list: string): string => `${list}.map(each, each.size()).sum()`;

/**
 * What the comparison of paths costs, in the API server's units: measured, 133 for each thing that a container has at a path and 43 more for
 * each class, of the million that an expression may cost. Very long paths cost more, and end at the API server's own limit.
 */
const COST = { place: 140, class: 45, windows: 2, most: 800_000 } as const;

const occupantsOf = (containers: string): string =>
  `${containers}.map(c, ${mountsOf("c")}.size() + c.?volumeDevices.orValue([]).size() + 1).sum()`;
const costOf = (containers: string): string => `${occupantsOf(containers)} * (${COST.place} + ${COST.class} * ${of("classes")}.size())`;

/** Of all containers. */
export const COST_VARIABLE: Variable = { name: "cost", expression: costOf(of("all")) };

const OCCUPANTS = occupantsOf(of("selected"));

/** Path and volume's name. */
const LONGEST_OF_CLASS = LONGEST.linux + LONGEST_SUBDOMAIN + LONGEST_LABEL + 8;

/** Twice what is taken: a pod that comes again has our own mounts, too. */
const HUGE = { containers: 2_000, volumes: 1_000, perClass: 4_000, sources: 4_000, perSecret: 10_000, cost: COST.most * 2 } as const;
const VOLUMES = "object.spec.?volumes.orValue([]).size()";
const SOURCES = `${of("all")}.map(c, c.?envFrom.orValue([]).size()).sum()`;

const LARGER =
  `a pod of {containers} containers, {volumes} volumes and {classes} classes with all of their mounts and sources is more than a policy can check: ` +
  `make it smaller, or name fewer containers with annotation ${POD_ANNOTATIONS.containers}`;

const TOO_MANY_MOUNTS = `{containers} containers with {mounts} mounts of their own and {classes} classes are more than a policy can compare: name fewer containers with annotation ${POD_ANNOTATIONS.containers}`;

/** By counts alone, before anything is walked that a product of them decides on. */
export const HUGE_PROBLEM: Problem = `${of("all")}.size() > ${HUGE.containers} || ${VOLUMES} > ${HUGE.volumes} || ${VOLUMES} * ${of("classes")}.size() > ${HUGE.perClass} || ${of("secrets")}.size() > 0 && [${SOURCES}].exists(sources, sources > ${HUGE.sources} || sources * ${of("secrets")}.size() > ${HUGE.perSecret}) || ${of("cost")} > ${HUGE.cost} ? ${message(
  LARGER,
  {
    containers: `string(${of("all")}.size())`,
    volumes: `string(${VOLUMES})`,
    classes: `string(${of("classes")}.size())`,
  },
)} : ""`;

/** A container's own sources, but for those that are asked for, which it may have from us. */
const FOREIGN_SOURCES = `(${of("secrets")}.size() == 0 ? 0 : ${of("selected")}.map(c, c.?envFrom.orValue([]).filter(source, !${of("secrets")}.exists(secret, ${isFrom("source", "secret")})).size()).sum())`;

export const SIZE_PROBLEM: Problem = choose(
  [
    [
      `${of("selected")}.size() * (${of("classes")}.size() + ${of("secrets")}.size()) + ${FOREIGN_SOURCES} > ${MOST_ENTRIES}` +
        ` || ${of("selected")}.size() * (${of("classes")}.size() * ${LONGEST_OF_CLASS} + ${sizesOf(of("secrets"))}) > ${MOST_CHARACTERS}` +
        ` && ${of("selected")}.size() * (${sizesOf(of("mountPaths"))} + ${sizesOf(of("volumeNames"))} + ${sizesOf(of("secrets"))}) > ${MOST_CHARACTERS}`,
      message(DENIALS.podTooLarge[1], {
        containers: `string(${of("selected")}.size())`,
        classes: `string(${of("classes")}.size())`,
        secrets: `string(${of("secrets")}.size())`,
        entries: text(String(MOST_ENTRIES)),
        size: text(String(MOST_CHARACTERS / 1024 / 1024)),
      }),
    ],
    [
      // The next look at a pod finds our own mounts, too.
      `${of("cost")} * ${COST.windows} > ${COST.most} && ${costOf(of("selected"))} * (${of("isWindows")} ? ${COST.windows} : 1) > ${COST.most} && !(${IS_COMPLETE})`,
      message(TOO_MANY_MOUNTS, {
        containers: `string(${of("selected")}.size())`,
        mounts: `string(${OCCUPANTS})`,
        classes: `string(${of("classes")}.size())`,
      }),
    ],
  ],
  `""`,
);

const NAMESAKES = `object.spec.?volumes.orValue([]).filter(volume, volume.name == ${of("volumeNames")}[index])`;
const OF_CLASS = `${of("driverVolumes")}.filter(volume, ${classOf("volume")} == ${CLASS})`;
const OTHERWISE = `[${OF_CLASS}.filter(volume, volume.name == ${of("volumeNames")}[index]) + (${of("isDefaultReference")}[index] ? ${OF_CLASS} : ${OF_CLASS}.filter(none, false))]`;

const REFERENCE_DIFFERS = `${OTHERWISE}.map(others, others.map(other, [${referenceOf("other")}].map(own, ${message(
  DENIALS.referenceDiffers[1],
  {
    name: quoted("other.name"),
    class: quoted(CLASS),
    has: `(own == "" ? "no nodePublishSecretRef" : "nodePublishSecretRef " + ${quoted("own")})`,
    wanted: `(${of("references")}[index] == "" ? "none" : ${quoted(`${of("references")}[index]`)})`,
    own: quoted(`(${of("classes")}.size() == 1 ? "" : ${CLASS} + "=") + (own == "" ? "none" : own)`),
  },
)})[0]))[0]`;

const NAME_TAKEN = `${NAMESAKES}.filter(volume, !(volume.?csi.?driver.orValue("") == ${text(CSI_DRIVER)} && ${classOf("volume")} == ${CLASS})).map(volume, ${message(
  DENIALS.volumeNameTaken[1],
  { name: quoted("volume.name"), class: quoted(CLASS), other: text("volume") },
)})`;

/** Where a container has nothing else to say of it. */
const TERMINATION_LOG = `c.?terminationMessagePath.orValue("/dev/termination-log")`;

/** The webhook tells three cases apart. */
const PATH_TAKEN = "container {container} has {thing}, where class {class} would be mounted, at {path}: {fix}";

/**
 * By place in the container's file system: what a class's mount may not meet, and what it may be made in. Containers without a missing mount
 * are not looked into, nor are those that have nothing near.
 */
function mountProblem(): string {
  // Read-only or not, a volume's name, and a path: a mount's, and what has no volume. A list's items are of one type to the compiler.
  const things = [
    `${mountsOf("c")}.map(mount, [mount.?readOnly.orValue(false) || mount.name in ${of("readOnlyVolumes")} ? "ro" : "rw", string(mount.name), string(mount.mountPath)])`,
    `c.?volumeDevices.orValue([]).map(device, ["ro", "", string(device.devicePath)])`,
    `[["ro", "", string(${TERMINATION_LOG})]]`,
  ].join(" + ");
  const isBelow = (places: string): string => `${places}.exists(place, ${PLACES}.exists(parent, place.startsWith(parent)))`;
  const isAround = (places: string): string => `${places}.exists(parent, ${PLACES}.exists(place, place.startsWith(parent)))`;
  const rest = (places: string): string =>
    `${places}.map(parent, ${PLACES}.filter(place, place.startsWith(parent)).map(place, place.size() - parent.size())).flatten().min()`;
  // The innermost is the one that the mount point is made in.
  const isClosed = `around.exists(hard, hard[0] == "ro" && !around.exists(soft, soft[0] == "rw" && ${rest("soft")} < ${rest("hard")}))`;
  const isRefused = `occupants.exists(places, ${isBelow("places")}) || ${bind("around", `occupants.filter(places, ${isAround("places")})`, isClosed)}`;
  const blocking = `occupants.transformList(k, places, ${isBelow("places")} || places[0] == "ro" && ${isAround("places")}, things[k])[0]`;
  const thing = `(thing[1] == "" ? "a device or its termination message" : "volume " + ${quoted("thing[1]")} + " at " + ${quoted("thing[2]")})`;
  const said = message(PATH_TAKEN, {
    container: quoted("c.name"),
    thing: bind("thing", blocking, thing),
    class: quoted(CLASS),
    path: quoted(PATH),
    fix: text(FIXES.path),
  });
  const found = `${of("missingMounts")}[at].map(index, ${isRefused}, ${said})`;
  const looked = bind("things", things, bind("occupants", `things.map(thing, [thing[0]] + ${placesOf("thing[2]")})`, found));
  const isNear = [
    `${mountsOf("c")}.exists(mount, ${isMaybeNear("mount.mountPath")})`,
    `c.?volumeDevices.orValue([]).size() > 0`,
    isMaybeNear(TERMINATION_LOG),
  ].join(" || ");
  return first(`${of("selected")}.transformList(at, c, ${of("missingMounts")}[at].size() > 0 && (${isNear}), ${looked}).flatten()`);
}

/** Without the work of finding out where a path leads: what is near is near by it, and some of what is not. */
function isMaybeNear(path: string): string {
  return `(${isPlain(path)} ? ${of("nearPlaces")}.exists(place, place.startsWith(${path}) || ${path}.startsWith(place)) : true)`;
}

/** Of volumes. Most classes are nobody's yet, and their names free. */
export const VOLUME_PROBLEM: Problem = first(
  `${of("missingVolumes")}.filter(index, ${NAMESAKES}.size() > 0 || ${OF_CLASS}.size() > 0).map(index, ${REFERENCE_DIFFERS} + ${NAME_TAKEN}).flatten()`,
);

export const MOUNT_PROBLEM: Problem = mountProblem();
