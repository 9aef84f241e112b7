# The official Airflow image with this project installed: connection types, operators, simulator and console scripts.
FROM apache/airflow:3.3.2-python3.11

COPY --chown=airflow:0 pyproject.toml README.md requirements.lock /opt/hcx-waves/
COPY --chown=airflow:0 include /opt/hcx-waves/include
COPY --chown=airflow:0 plugins /opt/hcx-waves/plugins
COPY --chown=airflow:0 docker /opt/hcx-waves/docker

# What the official image brings stays as it is, by its own constraints; the lock pins what it does not bring (pyvmomi
# above all). The simulator is the twin server of rehearsals; pictures are drawn by workers and by the API server.
RUN python - <<'PY' && pip install --no-cache-dir --constraint "$HOME/constraints.txt" --constraint /tmp/own.txt \
    "apache-airflow==3.3.2" "/opt/hcx-waves[sim,forecast,import]" && pip check && rm /tmp/own.txt
import os, pathlib, re

def named(line):
    return re.split(r"[=<>!~ ;\[]", line.strip())[0].lower().replace("_", "-").replace(".", "-")

brought = {named(one) for one in pathlib.Path(os.environ["HOME"], "constraints.txt").read_text().splitlines()}
lock = pathlib.Path("/opt/hcx-waves/requirements.lock").read_text().splitlines()
pathlib.Path("/tmp/own.txt").write_text("".join(f"{one}\n" for one in lock if named(one) not in brought))
PY

USER root
RUN install --directory --owner=airflow --group=0 --mode=0770 \
  /var/lib/hcx-sim /opt/airflow/reports /opt/airflow/state
USER airflow
