# One image for all services: each container names the program it runs.
#   docker build --build-arg PROFILE=production .   optimises harder, and takes a quarter of an hour longer
ARG RUST_IMAGE=rust:1.95-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
ARG PROFILE=release
WORKDIR /src
COPY . .
# The caches outlive the layer: the next build compiles what changed.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile "$PROFILE" --bins \
    && mkdir /programs \
    && find "target/$PROFILE" -maxdepth 1 -type f -executable -exec cp {} /programs/ \;

FROM ${RUNTIME_IMAGE}
COPY --from=build /programs/ /usr/local/bin/
# Small processes: an arena of malloc for each of the client's threads would keep what it once had (docs/adr/0014).
ENV MALLOC_ARENA_MAX=1
# Nobody: nothing is written but to /tmp, and there only by provisioning.
USER 65534:65534
WORKDIR /tmp
