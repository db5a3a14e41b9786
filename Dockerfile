# quire in a container: docker build -t quire . && docker run -it --rm quire
# Other targets likewise: docker run -it --rm quire test
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends make
WORKDIR /quire
COPY tests/tools/setup tests/tools/setup
COPY Makefile .
RUN make setup
COPY . .
RUN make
ENTRYPOINT ["make", "-s"]
CMD ["run"]
