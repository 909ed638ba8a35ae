# One image for every part: `run PART` decides which. Built from the same locks as ./headrace on a laptop.
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 headrace \
    && install -d -o headrace -g headrace /opt/headrace /var/cache/headrace /var/lib/headrace
USER headrace
WORKDIR /opt/headrace
ENV HEADRACE_CACHE=/var/cache/headrace HEADRACE_HOME=/var/lib/headrace

# Locks first: a change of code does not fetch everything again.
COPY --chown=headrace headrace ./
COPY --chown=headrace requirements requirements
COPY --chown=headrace include include
RUN ./headrace fetch && rm -rf /var/cache/headrace/uv-cache

COPY --chown=headrace . .
VOLUME /var/lib/headrace
ENTRYPOINT ["./headrace"]
CMD ["--help"]
