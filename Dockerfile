# syntax=docker/dockerfile:1
# Both by digest: a tag is what its registry makes of it today. docs/how-to/install.md has the commands that look them up.
ARG NODE_IMAGE=node:24-bookworm-slim
# glibc, libstdc++ and nothing else: no shell, no package manager.
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot
# `yes` builds from the tags, to try something out.
ARG UNPINNED=no

# On the builder's own architecture, whatever the image's: the program is JavaScript, and a compiler under emulation is slow.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
ARG NODE_IMAGE
ARG RUNTIME_IMAGE
ARG UNPINNED
RUN case "$UNPINNED $NODE_IMAGE $RUNTIME_IMAGE" in yes\ *|*@sha256:*\ *@sha256:*) ;; *) \
  echo "give NODE_IMAGE and RUNTIME_IMAGE by digest (name:tag@sha256:...), or UNPINNED=yes" >&2; exit 1 ;; esac
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY LICENSE tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY manifests/crds ./manifests/crds
COPY tools/build.ts tools/licences.ts tools/image-files.ts ./tools/
# The second line is the list of the image's files. The packages above are compiled in; none is copied.
RUN node tools/build.ts \
  && node tools/image-files.ts /image

# Node for the image's architecture; nothing runs in this stage.
FROM ${NODE_IMAGE} AS node

FROM ${RUNTIME_IMAGE}
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /image /app
WORKDIR /app
# A number, so that the kubelet can check it. The files belong to root: the process can change none of them.
USER 65532:65532
# `docker run IMAGE doctor` is the command line; the pods of the manifests name their own command.
ENTRYPOINT ["node", "dist/main.js"]
