# docker build -t mawps . && docker run --rm -it -v mawps:/home/node mawps demo
FROM node:20-slim AS pack
WORKDIR /src
COPY . .
RUN npm ci && mkdir /pack && npm pack --pack-destination /pack

FROM node:20-slim
RUN --mount=type=bind,from=pack,source=/pack,target=/pack \
    npm install --global --omit=dev /pack/mawps-*.tgz && npm cache clean --force
USER node
WORKDIR /home/node
ENTRYPOINT ["mawps"]
CMD ["--help"]
