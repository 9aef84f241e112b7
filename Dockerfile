# The official Airflow image with this project installed: connection types, operators, simulator and console scripts.
FROM apache/airflow:3.3.2-python3.11

COPY --chown=airflow:0 pyproject.toml README.md requirements.lock /opt/hcx-waves/
COPY --chown=airflow:0 include /opt/hcx-waves/include
COPY --chown=airflow:0 plugins /opt/hcx-waves/plugins
COPY --chown=airflow:0 docker /opt/hcx-waves/docker

# The lock pins what the official image does not bring (pyvmomi above all) and keeps what it does.
# The simulator is the twin server of rehearsals; pictures are drawn by workers and by the API server.
RUN pip install --no-cache-dir --constraint /opt/hcx-waves/requirements.lock "apache-airflow==3.3.2" "/opt/hcx-waves[sim,forecast]"

USER root
RUN install --directory --owner=airflow --group=0 --mode=0770 \
  /var/lib/hcx-sim /opt/airflow/reports /opt/airflow/state
USER airflow
