# One static binary on a base without shell or package manager, as an ordinary user.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /art34 ./cmd/art34 && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /art34 /art34
# A new volume takes over the owner of this directory.
COPY --from=build --chown=nonroot:nonroot /data /data
ENV ART34_DIR=/data
VOLUME /data
USER nonroot
ENTRYPOINT ["/art34"]
CMD ["run"]
