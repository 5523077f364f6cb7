# Two images. `service`, the last one and so the default, answers HTTP for a model that is mounted at /model:
#   docker build -t seafin . && docker run -p 8080:8080 -v DIR:/model:ro seafin
# `pipelines` holds every stage and deliverable with the embedded data; here it trains on them and serves the result:
#   docker build -t seafin-pipelines --target pipelines . && docker run -p 8080:8080 seafin-pipelines serve --listen 0.0.0.0:8080
# Versions are those of rust-toolchain.toml and Cargo.lock; pipelines/tests/container.rs holds this file to them.
ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
# The image's own toolchain: the components that rust-toolchain.toml names beside it are for developers.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_INCREMENTAL=0 CARGO_PROFILE_RELEASE_DEBUG=false
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p service

FROM build AS build-all
RUN cargo build --release --locked --workspace --bins

# What both run on: a user without rights, certificates for the Hub, and a place to write.
FROM ${DEBIAN_IMAGE} AS base
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home seafin && install -d -o seafin /runs
USER seafin
WORKDIR /home/seafin

FROM base AS pipelines
# The embedded data are looked for where the program was built.
COPY --from=build-all /src/fixtures/data /src/fixtures/data
COPY --from=build-all /src/fixtures/model /src/fixtures/model
COPY --from=build-all \
    /src/target/release/seafin-ingest /src/target/release/seafin-features /src/target/release/seafin-eda \
    /src/target/release/seafin-synth /src/target/release/seafin-formatter /src/target/release/seafin-trainer \
    /src/target/release/seafin-evaluator /src/target/release/seafin-trading-agent \
    /src/target/release/seafin-backtester /src/target/release/seafin-service \
    /src/target/release/eda /src/target/release/prepare-data /src/target/release/generate-synthetic \
    /src/target/release/format-dataset /src/target/release/train /src/target/release/evaluate \
    /src/target/release/official-test /src/target/release/baseline-strategy /src/target/release/evaluation-report \
    /src/target/release/experiments /src/target/release/findings /src/target/release/lookahead-audit \
    /src/target/release/serve /src/target/release/run-all /usr/local/bin/
WORKDIR /runs
EXPOSE 8080
CMD ["run-all"]

FROM base AS service
COPY --from=build /src/target/release/seafin-service /usr/local/bin/
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '\"status\":\"ok\"' <&3"]
ENTRYPOINT ["seafin-service", "--listen", "0.0.0.0:8080"]
CMD ["--model", "/model"]
