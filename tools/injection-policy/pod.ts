/** Computes which requested parts the pod has and lacks, and the reasons that prevent the missing ones. */
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

/** Class of a volume. */
export const classOf = (volume: string): string => `${volume}.csi.?volumeAttributes[?"secretProviderClass"].orValue("")`;
export const referenceOf = (volume: string): string => `${volume}.csi.?nodePublishSecretRef.?name.orValue("")`;
export const mountsOf = (container: string): string => `${container}.?volumeMounts.orValue([])`;
/**
 * Whether the source is the Secret without a prefix. A Secret's name is empty if a list contains an empty item, and then no source matches.
 */
export const isFrom = (source: string, secret: string): string =>
  `${secret} != "" && ${source}.?secretRef.?name.orValue("") == ${secret} && ${source}.?prefix.orValue("") == ""`;

export const DRIVER_VOLUMES = `object.spec.?volumes.orValue([]).filter(volume, volume.?csi.?driver.orValue("") == ${text(CSI_DRIVER)})`;

const CLASS = `${of("classes")}[index]`;

const IS_EACH = `${of("containerItems")}.size() == 0`;
const IS_SELECTED = `!(c.name in ${of("excluded")}) && (${of("included")}.size() == 0 || c.name in ${of("included")})`;

/** `containers` is null in the API server for a pod without containers. */
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

/** Lists with the order of the selected containers, and of the classes. */
export const POD_VARIABLES: readonly Variable[] = [
  { name: "selected", expression: `${IS_EACH} ? ${of("all")} : ${of("all")}.filter(c, ${IS_SELECTED})` },
  { name: "driverVolumes", expression: DRIVER_VOLUMES },
  // By class: names of the pod's own volumes that are equal to the volume that the policy would add.
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
  // JSON Pointer of each selected container.
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

/** The pod is already injected. A problem of its annotations is still a problem. */
const IS_COMPLETE = `object.metadata.?labels[?${text(INJECTED_LABEL)}].orValue("") == "true" && ${IS_WHOLE}`;

const PATH = `${of("mountPaths")}[index]`;
const PLACES = `${of("mountPlaces")}[index]`;

/** `""`, or the message for the first index whose condition holds. */
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
  // Places below the link in both of its spellings, so that the spelling of the containers' own mounts does not matter. Without the slash
  // at the end.
  {
    name: "nearPlaces",
    expression: `${of("mountPlaces")}.flatten().map(place, place.startsWith("${LINK.to}/") ? ["${LINK.from}" + place.substring(${LINK.to.length}), place] : [place]).flatten().map(place, place.substring(0, place.size() - 1))`,
  },
];

const sizesOf = (list: string): string => `${list}.map(each, each.size()).sum()`;

/**
 * Cost of the path comparison in the API server's units: measured 133 for each mount, device or log of a container, and 43 more for each
 * class. One expression may cost one million. Very long paths cost more, and reach the API server's own limit.
 */
const COST = { place: 140, class: 45, windows: 2, most: 800_000 } as const;

const occupantsOf = (containers: string): string =>
  `${containers}.map(c, ${mountsOf("c")}.size() + c.?volumeDevices.orValue([]).size() + 1).sum()`;
const costOf = (containers: string): string => `${occupantsOf(containers)} * (${COST.place} + ${COST.class} * ${of("classes")}.size())`;

/** Cost for all containers. */
export const COST_VARIABLE: Variable = { name: "cost", expression: costOf(of("all")) };

const OCCUPANTS = occupantsOf(of("selected"));

/** Longest path and volume name of a class. */
const LONGEST_OF_CLASS = LONGEST.linux + LONGEST_SUBDOMAIN + LONGEST_LABEL + 8;

/** Twice the accepted size, because a pod that the policy checks again also has our own mounts. */
const HUGE = { containers: 2_000, volumes: 1_000, perClass: 4_000, sources: 4_000, perSecret: 10_000, cost: COST.most * 2 } as const;
const VOLUMES = "object.spec.?volumes.orValue([]).size()";
const SOURCES = `${of("all")}.map(c, c.?envFrom.orValue([]).size()).sum()`;

const LARGER =
  `a pod of {containers} containers, {volumes} volumes and {classes} classes with all of their mounts and sources is more than a policy can check: ` +
  `make it smaller, or name fewer containers with annotation ${POD_ANNOTATIONS.containers}`;

const TOO_MANY_MOUNTS = `{containers} containers with {mounts} mounts of their own and {classes} classes are more than a policy can compare: name fewer containers with annotation ${POD_ANNOTATIONS.containers}`;

/** Checks counts only, before the policy evaluates any list whose cost depends on a product of these counts. */
export const HUGE_PROBLEM: Problem = `${of("all")}.size() > ${HUGE.containers} || ${VOLUMES} > ${HUGE.volumes} || ${VOLUMES} * ${of("classes")}.size() > ${HUGE.perClass} || ${of("secrets")}.size() > 0 && [${SOURCES}].exists(sources, sources > ${HUGE.sources} || sources * ${of("secrets")}.size() > ${HUGE.perSecret}) || ${of("cost")} > ${HUGE.cost} ? ${message(
  LARGER,
  {
    containers: `string(${of("all")}.size())`,
    volumes: `string(${VOLUMES})`,
    classes: `string(${of("classes")}.size())`,
  },
)} : ""`;

/** Sources of a container's own, without the requested ones, which the policy may have added. */
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
      // The next call of the policy for the pod also counts our own mounts.
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

/** The path's default applies if the container does not set it. */
const TERMINATION_LOG = `c.?terminationMessagePath.orValue("/dev/termination-log")`;

/** The webhook has three different messages for these cases. */
const PATH_TAKEN = "container {container} has {thing}, where class {class} would be mounted, at {path}: {fix}";

/**
 * Compares places in a container's file system: those that must not overlap a class's mount, and those that the mount may be inside. Skips
 * containers that lack no mount, and containers with nothing near the class's path.
 */
function mountProblem(): string {
  // Three texts each: read-only or not, the volume's name (empty for a device or log), and the path. CEL requires items of one type in a
  // list.
  const things = [
    `${mountsOf("c")}.map(mount, [mount.?readOnly.orValue(false) || mount.name in ${of("readOnlyVolumes")} ? "ro" : "rw", string(mount.name), string(mount.mountPath)])`,
    `c.?volumeDevices.orValue([]).map(device, ["ro", "", string(device.devicePath)])`,
    `[["ro", "", string(${TERMINATION_LOG})]]`,
  ].join(" + ");
  const isBelow = (places: string): string => `${places}.exists(place, ${PLACES}.exists(parent, place.startsWith(parent)))`;
  const isAround = (places: string): string => `${places}.exists(parent, ${PLACES}.exists(place, place.startsWith(parent)))`;
  const rest = (places: string): string =>
    `${places}.map(parent, ${PLACES}.filter(place, place.startsWith(parent)).map(place, place.size() - parent.size())).flatten().min()`;
  // The runtime creates the mount point in the innermost one.
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
  const checked = bind("things", things, bind("occupants", `things.map(thing, [thing[0]] + ${placesOf("thing[2]")})`, found));
  const isNear = [
    `${mountsOf("c")}.exists(mount, ${isMaybeNear("mount.mountPath")})`,
    `c.?volumeDevices.orValue([]).size() > 0`,
    isMaybeNear(TERMINATION_LOG),
  ].join(" || ");
  return first(`${of("selected")}.transformList(at, c, ${of("missingMounts")}[at].size() > 0 && (${isNear}), ${checked}).flatten()`);
}

/** Finds nearby paths without resolving them. Finds all that are near, and some that are not. */
function isMaybeNear(path: string): string {
  return `(${isPlain(path)} ? ${of("nearPlaces")}.exists(place, place.startsWith(${path}) || ${path}.startsWith(place)) : true)`;
}

/** Problems of volumes. The volumes of most classes do not exist yet, and their names are free. */
export const VOLUME_PROBLEM: Problem = first(
  `${of("missingVolumes")}.filter(index, ${NAMESAKES}.size() > 0 || ${OF_CLASS}.size() > 0).map(index, ${REFERENCE_DIFFERS} + ${NAME_TAKEN}).flatten()`,
);

export const MOUNT_PROBLEM: Problem = mountProblem();
